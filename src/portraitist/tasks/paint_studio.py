"""A painter with everything it needs to paint one picture after another, and the recipes of what it paints."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portraitist.compose.occlusion import find_occluders
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.library import Library
from portraitist.marks.transfer import transfer_marks
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.provenance import Recipe, versions
from portraitist.stylize.engine import PaintEngine, PaintItem
from portraitist.tasks.paint_config import PaintSettings
from portraitist.tasks.paint_people import Chosen, Hiding, choose
from portraitist.tasks.paint_sources import Still
from portraitist.tasks.painters import Painter, find_painter
from portraitist.tasks.sitting import Cast
from portraitist.types import Image
from portraitist.weights import TABLE

_NETWORKS = ("blazeface-short", "blazeface-full", "face-mesh", "iris", "dlib-resnet", "selfie-segmentation")


@dataclass(frozen=True, eq=False)
class PaintedStill:
    """One picture, painted. image: (h, w, 3), an avatar (h, w, 4). measures: of each face painted."""

    image: Image
    measures: Mapping[str, Any]
    details: Mapping[str, Any]
    seconds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Studio:
    """A painter with everything it needs, loaded once for many pictures. cast: the sitter, where one is named."""

    settings: PaintSettings
    painter: Painter
    engine: PaintEngine
    reader: FaceReader
    cast: Cast | None

    @classmethod
    def of(cls, library: Library, settings: PaintSettings, placement: Placement, report: Report = silent) -> Studio:
        """Raises InputError for an unknown painter or sitter, or a sitter without a map where marks are asked for."""
        request = settings.request
        painter = find_painter(library, request.painter, report)
        cast = None if request.sitter is None else Cast.of(library, request.sitter)
        if request.marks and cast is not None and cast.marks is None:
            raise InputError(
                f"--marks: there is no map of {cast.name}'s marks; run 'portraitist marks map {cast.name}'"
            )
        engine = painter.build(settings.paint, placement, report)
        return cls(settings, painter, engine, FaceReader.load(placement), cast)

    def __call__(self, still: Still) -> PaintedStill:
        """Paint one picture. Raises InputError when there is nobody to paint in it."""
        clock = [time.perf_counter()]
        image = still.picture.pixels()
        faces = self.reader.read(image, thorough=self.settings.request.privacy)
        clock.append(time.perf_counter())
        chosen = choose(faces, self.settings.request, self.cast)
        self._require_somebody(chosen)
        painted, measures = self._painted(image, chosen)
        painted, marks = self._with_marks(image, painted, chosen)
        clock.append(time.perf_counter())
        seconds = {"faces": clock[1] - clock[0], "paint": clock[2] - clock[1], "total": clock[2] - clock[0]}
        return PaintedStill(painted, {"painted": measures}, {**marks, "warnings": _warnings(measures)}, seconds)

    def weights(self) -> dict[str, str]:
        """Digests of everything learned that the paintings depend on."""
        used = {name: TABLE[name].sha256 or "" for name in _NETWORKS}
        marks = (
            {}
            if self.cast is None or self.cast.marks is None or not self.settings.request.marks
            else {f"marks of {self.cast.name}": self.cast.marks.sha256}
        )
        return {**used, **self.painter.weights, **marks}

    def _require_somebody(self, chosen: Chosen) -> None:
        config = self.settings.paint
        whole = config.area == "full" and config.surroundings == "painted"
        if chosen.painted or self.settings.request.privacy or whole:
            return
        if chosen.others:
            raise InputError("nobody to paint: the sitter was not found among the faces; leave --only-sitter out")
        raise InputError("nobody to paint: no face was found; --area full paints pictures without one")

    def _painted(self, image: Image, chosen: Chosen) -> tuple[Image, list[dict[str, Any]]]:
        if self.settings.request.privacy:
            painted, measures = Hiding(self.engine, self.reader)(image, chosen, 0)
            return painted.image, measures
        painted = next(self.engine(PaintItem(image, chosen.painted, chosen.others), seed=0))
        if painted.image.shape != image.shape:
            # An avatar has no place in the picture that a distance could be measured at.
            return painted.image, [{} for _ in range(painted.details["faces"])]
        known = [(face, face.embedding) for face in chosen.painted if face.embedding is not None]
        away = [self.reader.embed(painted.image, face).distance(own) for face, own in known]
        return painted.image, [{"distance": round(d, 4)} for d in away]

    def _with_marks(self, image: Image, painted: Image, chosen: Chosen) -> tuple[Image, dict[str, Any]]:
        """The sitter's marks drawn on the painting, where they were in the photo's frame of reference: the mesh."""
        known = self.cast.marks if self.cast is not None and self.settings.request.marks else None
        if known is None or chosen.sitter is None or painted.shape != image.shape:
            return painted, {}
        hidden = find_occluders(image, chosen.sitter)
        carried = transfer_marks(painted, chosen.sitter, known, self.settings.transfer, hidden=hidden)
        return carried.image, {"marks": {"put": list(carried.put), "skipped": dict(carried.skipped)}}


def _warnings(measures: Sequence[Mapping[str, Any]]) -> list[str]:
    seen = sum(not record["hidden"] for record in measures if "hidden" in record)
    return [f"privacy: {seen} of {len(measures)} faces may still be known by a recogniser; cover them"] if seen else []


def recipe_of(shot: PaintedStill, still: Still, studio: Studio) -> Recipe:
    """Everything that replays to the painting."""
    sitters = dict.fromkeys(name for name in (still.entry.sitter, studio.settings.request.sitter) if name)
    return Recipe(
        task="paint",
        engine=studio.painter.engine,
        config=to_mapping(studio.settings),
        seed=0,
        index=0,
        sitters=tuple(sitters),
        inputs=(still.entry,),
        weights=studio.weights(),
        timings={stage: round(seconds, 3) for stage, seconds in shot.seconds.items()},
        versions=versions(),
        source_type=still.kind,
        measures=shot.measures,
        details=shot.details,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
