"""`paint` for moving pictures: a video file, or a camera, frame by frame with the faces followed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portraitist.errors import ConfigError, InputError
from portraitist.image import file_digest
from portraitist.library import Library, write_json
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import Input, Recipe, versions
from portraitist.stylize.disguise import FOR_FILMS
from portraitist.stylize.engine import PaintItem
from portraitist.stylize.film import CONTAINERS, Film, FilmWriter, open_film, write_film
from portraitist.stylize.tracking import FaceTracker, Track
from portraitist.tasks.paint_config import PaintSettings
from portraitist.tasks.paint_people import sitters_face
from portraitist.tasks.paint_studio import Studio
from portraitist.types import Image


@dataclass(frozen=True)
class PaintedFilm:
    """A video on disk with its recipe. warnings: sentences for whoever asked."""

    path: Path
    recipe_path: Path
    recipe: Recipe
    warnings: tuple[str, ...]


@dataclass
class FilmPainter:
    """Paints one frame after another: the faces are followed, and the sitter is told from the others once a face."""

    studio: Studio
    tracker: FaceTracker
    seconds: float = 0.0
    frames: int = 0
    _sitters: dict[int, tuple[Track, bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, studio: Studio) -> FilmPainter:
        video = studio.settings.video
        # A face that comes in between two searches would be seen: privacy searches every frame, for everybody.
        video = replace(video, detect_every=1, people=50) if studio.settings.request.privacy else video
        return cls(studio, FaceTracker(studio.reader, video))

    def __call__(self, image: Image, moment: float) -> Image:
        """The painted frame (h, w, 3). moment: seconds, rising."""
        started = time.perf_counter()
        tracks = self.tracker(image, moment)
        shown = [index for index, track in enumerate(tracks) if self._is_painted(image, track)]
        faces = [tracks[index].steady for index in shown]
        others = [track.steady for index, track in enumerate(tracks) if index not in shown]
        levels = [FOR_FILMS] * len(faces) if self.studio.settings.request.privacy else []

        item = PaintItem(image, faces, others, levels, lambda i, region: self.tracker.steadied(shown[i], region))
        painted = next(self.studio.engine(item, seed=0)).image
        self.seconds += time.perf_counter() - started
        self.frames += 1
        return painted

    def figures(self) -> dict[str, Any]:
        """What it took, for the recipe."""
        rate = self.frames / self.seconds if self.seconds else 0.0
        return {"frames": self.frames, "searched": self.tracker.searches, "frames_per_second": round(rate, 2)}

    def _is_painted(self, image: Image, track: Track) -> bool:
        request = self.studio.settings.request
        if not (request.only_sitter or request.privacy):
            return True
        return self._is_sitter(image, track) == request.only_sitter

    def _is_sitter(self, image: Image, track: Track) -> bool:
        known = self._sitters.get(id(track))
        if known is None:
            assert self.studio.cast is not None
            face = replace(track.face, embedding=self.studio.reader.embed(image, track.face))
            known = track, sitters_face([face], self.studio.cast) is not None
            self._sitters[id(track)] = known
        return known[1]


def paint_video(
    library: Library,
    source: Path,
    settings: PaintSettings,
    out: Path,
    *,
    placement: Placement | None = None,
    report: Report = silent,
) -> PaintedFilm:
    """Paint a video file: its own size, times and sound, upright. out: the file to write, see `film.CONTAINERS`.

    Raises InputError for a file that cannot be read or a suffix that cannot be written, ConfigError for what makes no
    sense in a video.
    """
    require_film_settings(settings, out)
    studio = Studio.of(library, settings, placement or Placement(), report)
    digest = hashlib.sha256()
    with open_film(source) as film, write_film(out, film.time_base, film.rate, settings.video.bit_rate) as writer:
        painter = FilmPainter.of(studio)
        if settings.video.audio and film.audio is not None:
            writer.take_sound(film.audio)
        for number, moment in enumerate(film.moments()):
            painted = painter(moment.image, moment.time)
            digest.update(painted.tobytes())
            writer.write(painted, moment.pts)
            writer.write_sound(film.sound)
            report(Step("paint", number + 1, max(film.count, number + 1), source.name))
        writer.write_sound(film.sound)
        warnings = _warnings(film, writer)
        entry = Input("video", file_digest(source), str(source.resolve()), settings.request.sitter)
        details = {**painter.figures(), "damaged": film.damaged, "warnings": list(warnings)}
        recipe, place = write_film_recipe(studio, entry, out, digest.hexdigest(), details)
    return PaintedFilm(out, place, recipe, warnings)


def require_film_settings(settings: PaintSettings, out: Path | None) -> None:
    """Raise ConfigError for what makes no sense in a film, InputError for a suffix that cannot be written."""
    if settings.request.marks:
        raise ConfigError("marks: expected a photo; in videos marks are not drawn, leave --marks out")
    if settings.paint.background == "transparent":
        raise ConfigError("background transparent: expected a photo; videos know keep and painted")
    if out is not None and out.suffix.lower() not in CONTAINERS:
        raise InputError(f"--out {out.name}: expected {', '.join(CONTAINERS)} for a video, found '{out.suffix}'")


def _warnings(film: Film, writer: FilmWriter) -> tuple[str, ...]:
    found = []
    if film.damaged:
        found.append(f"{film.path.name}: {film.damaged} damaged pieces were left out; copy it again from the camera")
    if writer.lost_sound:
        found.append(f"{writer.lost_sound}; write a .mkv to keep it")
    return tuple(found)


def write_film_recipe(
    studio: Studio, entry: Input, out: Path, digest: str, details: Mapping[str, Any]
) -> tuple[Recipe, Path]:
    """Beside the film, before it: output is the sha256 of all painted frames, one after another."""
    names = (studio.settings.request.sitter,) if studio.settings.request.sitter else ()
    recipe = Recipe(
        task="paint",
        engine=studio.painter.engine,
        config=to_mapping(studio.settings),
        seed=0,
        index=0,
        sitters=names,
        inputs=(entry,),
        weights=studio.weights(),
        versions=versions(),
        details=details,
        output=digest,
        file=out.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return recipe, write_json(out.with_suffix(".json"), recipe.to_json())
