"""`paint` for cameras: what one sees, painted frame by frame, shown and, where asked for, kept as a film."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from portraitist.errors import InputError
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import Input
from portraitist.stylize.camera import Camera
from portraitist.stylize.film import write_film
from portraitist.tasks.paint_config import PaintSettings
from portraitist.tasks.paint_studio import Studio
from portraitist.tasks.paint_video import FilmPainter, PaintedFilm, require_film_settings, write_film_recipe
from portraitist.types import Image

_TIME_BASE, _RATE = Fraction(1, 1000), Fraction(30)


def _never() -> bool:
    return False


def _nobody(image: Image) -> None:
    """Nobody looks on."""


@dataclass(frozen=True)
class Live:
    """How a camera is painted. show: is given each painted frame (h, w, 3). should_stop: asked after each frame."""

    show: Callable[[Image], None] = _nobody
    should_stop: Callable[[], bool] = _never
    placement: Placement = field(default_factory=Placement)
    report: Report = silent


@dataclass(frozen=True)
class LiveFigures:
    """Of a camera that was painted. details: frames, rate, dropped. warnings: how it ended, if badly."""

    details: Mapping[str, Any]
    warnings: tuple[str, ...]


def watch_camera(library: Library, camera: Camera, settings: PaintSettings, live: Live) -> LiveFigures:
    """Paint and show what a camera sees, and keep nothing, until `settings.video.seconds` are over, `live.should_stop`
    says so, or the camera goes. Raises InputError when no picture came at all."""
    require_film_settings(settings, None)
    sitting = _Sitting(camera, Studio.of(library, settings, live.placement, live.report), live)
    for _ in sitting.frames():
        pass
    return sitting.figures()


def paint_camera(
    library: Library, camera: Camera, settings: PaintSettings, out: Path, live: Live | None = None
) -> PaintedFilm:
    """The same, and the film `out`, whole however it ends, with its recipe."""
    require_film_settings(settings, out)
    live = live or Live()
    studio = Studio.of(library, settings, live.placement, live.report)
    sitting, digest, last = _Sitting(camera, studio, live), hashlib.sha256(), -1
    with write_film(out, _TIME_BASE, _RATE, settings.video.bit_rate) as writer:
        for painted, moment in sitting.frames():
            digest.update(painted.tobytes())
            last = max(last + 1, round(moment / _TIME_BASE))
            writer.write(painted, last)
        figures = sitting.figures()
        details = {**figures.details, "warnings": list(figures.warnings)}
        recipe, place = write_film_recipe(studio, Input("camera", "", camera.name), out, digest.hexdigest(), details)
    return PaintedFilm(out, place, recipe, figures.warnings)


class _Sitting:
    """A camera's frames painted one after another, and how it ended."""

    def __init__(self, camera: Camera, studio: Studio, live: Live) -> None:
        self.camera, self.live, self.seconds = camera, live, studio.settings.video.seconds
        self.painter, self.warnings = FilmPainter.of(studio), list[str]()

    def frames(self) -> Iterator[tuple[Image, float]]:
        """Painted frames, shown already, and their moments. A camera that goes ends them and spoils nothing."""
        try:
            with contextlib.closing(self.camera.frames()) as frames:
                for frame in frames:
                    painted = self.painter(frame.image, frame.time)
                    self.live.show(painted)
                    yield painted, frame.time
                    self.live.report(Step("live", message=f"{self.painter.figures()['frames_per_second']} frames/s"))
                    if self.live.should_stop() or 0 < self.seconds <= frame.time:
                        return
        except InputError as error:
            if self.painter.frames == 0:
                raise
            self.warnings.append(str(error))

    def figures(self) -> LiveFigures:
        """Of the whole time."""
        return LiveFigures({**self.painter.figures(), "dropped": self.camera.dropped}, tuple(self.warnings))
