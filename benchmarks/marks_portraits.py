"""The people and the template portraits of the marks tables, made as the product makes them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.identity_albums import people, reference, templates
from benchmarks.marks_again import Judged, found_again
from benchmarks.marks_texture import face_energy, reduced
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeEngine, ComposeItem, build
from portraitist.compose.occlusion import find_occluders
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.marks.config import DETECTOR, TransferConfig
from portraitist.marks.detectors import load_detector
from portraitist.marks.found import Detector
from portraitist.marks.map import MarksMap, map_of
from portraitist.marks.mark import PointMark
from portraitist.marks.match import PhotoMarks
from portraitist.placement import Placement
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene, Slot, TemplateScene
from portraitist.tasks.config import FinishConfig
from portraitist.tasks.finish import Finished, Person, finish
from portraitist.tasks.map_marks import marks_of
from portraitist.types import Face, Image, Portrait, Reference

LARGER = "templates/easyphoto/"
"""The half-body templates of the other tables have faces of 105 to 160 pixels, on which few moles are 2 pixels across;
these join them."""
SEED = 0


@dataclass(frozen=True, eq=False)
class Sitter:
    """references: the neutral and the smiling photo. judged: what the judge finds in each. found: what the product's
    detector finds, which the map is made of."""

    name: str
    references: tuple[Reference, ...]
    judged: tuple[PhotoMarks, ...]
    found: tuple[PhotoMarks, ...]

    @cached_property
    def marks(self) -> MarksMap:
        """The map, as the product puts it together."""
        return map_of(self.found)

    def are_sure(self, marks: Sequence[PointMark], face: Face) -> tuple[bool, ...]:
        """Whether the map has each, one for one within 2 % of the width of the photo's face, and would draw it."""
        least = TransferConfig().marks_confidence
        known = tuple(own for own in self.marks.marks if own.confidence >= least)
        return tuple(found is not None for found in found_again(marks, Judged(face, known)))

    def used(self, portrait: Portrait) -> tuple[Reference, PhotoMarks]:
        """The photo that a portrait was made from."""
        pairs = zip(self.references, self.judged, strict=True)
        return next(pair for pair in pairs if pair[0].picture.digest in portrait.sources)


class Studio:
    """Everything that is loaded once. The judge is the classical detector, which shares no code with the product's."""

    def __init__(self, data: Path, split: str) -> None:
        self.data, self.split, self.placement = data, split, Placement()
        self.reader = FaceReader.load(self.placement)
        self.judge: Detector = load_detector("classical", self.placement)
        self.detector: Detector = load_detector(DETECTOR, self.placement)
        self._sitters: dict[str, Sitter] = {}
        self._scene: tuple[Path, TemplateScene] | None = None
        self._details: dict[tuple[str, float], float | None] = {}

    @cached_property
    def _engine(self) -> ComposeEngine:
        return build(ComposeConfig(), self.placement)

    def names(self, limit: int | None) -> list[str]:
        """London people of the split: two photos each."""
        return [person.name for person in people(self.data, self.split, ("london",))][:limit]

    def sitter(self, name: str) -> Sitter:
        """Kept: every template asks again. Raises InputError when a photo has no face."""
        if name not in self._sitters:
            person = next(p for p in people(self.data, self.split, ("london",)) if p.name == name)
            found = [one for path in person.photos if (one := reference(path, self.reader)) is not None]
            if len(found) < 2:
                raise InputError(f"{name}: expected two photos with a face, found {len(found)}; is the data whole?")
            seen = (tuple(marks_of(one, detector) for one in found) for detector in (self.judge, self.detector))
            self._sitters[name] = Sitter(name, tuple(found), *seen)
        return self._sitters[name]

    def scene(self, path: Path) -> tuple[TemplateScene, Slot]:
        """A template with its largest face. The last one is kept."""
        if self._scene is None or self._scene[0] != path:
            self._scene = path, find_slots(open_photo(path), self.reader)
        scene = self._scene[1]
        return scene, max(scene.slots, key=lambda slot: slot.face.width)

    def compose(self, sitter: Sitter, scene: TemplateScene | BackdropScene, slot: int = 1) -> Portrait:
        """The product's first portrait."""
        return next(iter(self._engine(ComposeItem(scene, {slot: sitter.references}), seed=SEED)))

    def finished(
        self, portrait: Portrait, sitter: Sitter, centre: np.ndarray | None, config: TransferConfig
    ) -> Finished:
        """The portrait after the product's finish, marks and all."""
        person = Person(sitter.name, sitter.references, centre, marks=sitter.marks)
        return finish(portrait, [person], self.reader, FinishConfig(marks=config), self.placement)

    def detail(self, photo: Reference, mm: float = 0.0) -> float | None:
        """Fine detail of a photo's skin, reduced until a pixel is `mm` millimetres. Kept: portraits ask again."""
        key = photo.picture.digest, round(mm, 4)
        if key not in self._details:
            factor = millimetres_per_pixel(photo.face) / mm if mm > 0 else 1.0
            image, face = reduced(photo.picture.pixels(), photo.face, factor)
            self._details[key] = face_energy(image, face, find_occluders(image, face))
        return self._details[key]

    def face(self, image: Image, centre: np.ndarray | None) -> Face | None:
        """The face nearest to the place, or the largest."""
        faces = self.reader.read(image)
        if centre is None or not faces:
            return max(faces, key=lambda face: face.width, default=None)
        return min(faces, key=lambda face: float(np.linalg.norm(face.centre - centre)))


def template_paths(data: Path, split: str) -> Sequence[Path]:
    """The templates of the other tables, and those with larger faces."""
    with (data / "SPLIT.csv").open(newline="") as table:
        rows = [row["file"] for row in csv.DictReader(table) if row["split"] == split]
    return [*templates(data, split), *sorted(data / file for file in rows if file.startswith(LARGER))]
