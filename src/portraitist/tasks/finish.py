"""After every engine, once: restore, enlarge, draw the sitters' marks, and measure likeness and copy-paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.ranking import copy_paste, measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.marks.map import MarksMap
from portraitist.placement import Placement
from portraitist.tasks.carry_marks import carry_marks
from portraitist.tasks.config import FinishConfig
from portraitist.types import Face, Image, Portrait, Reference


@dataclass(frozen=True, eq=False)
class Person:
    """Who should be at a place of the portrait. centre: (2,) pixels where their face is expected, None for the largest
    face. replaced: the template's own face there, if any. references: every photo of the sitter. marks: their map, None
    where none was made."""

    sitter: str
    references: Sequence[Reference]
    centre: NDArray[np.float32] | None = None
    replaced: Face | None = None
    marks: MarksMap | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """The final pixels, what was measured for each person, and the portrait's likeness (the least of its people)."""

    image: Image
    measures: Mapping[str, Any]
    likeness: float | None


def finish(
    portrait: Portrait, people: Sequence[Person], reader: FaceReader, config: FinishConfig, placement: Placement
) -> Finished:
    """Likeness is taken on the engine's pixels, before enlarging: a larger picture is not a better likeness. Marks come
    last, at the portrait's full size: nothing smooths them away again."""
    faces = reader.read(portrait.image)
    measured = [_measure(portrait, person, faces) for person in people]
    image = _restored(portrait.image) if config.restore else portrait.image
    image = _enlarged(image, config.scale, placement) if config.scale > 1 else image
    image, measured = _marked(image, people, faces, measured, config)
    scores = [m["likeness"] for m in measured]
    known = [score for score in scores if score is not None]
    likeness = min(known) if known and len(known) == len(scores) else None
    return Finished(image, {"people": measured}, likeness)


def _marked(
    image: Image,
    people: Sequence[Person],
    faces: Sequence[Face],
    measured: Sequence[dict[str, Any]],
    config: FinishConfig,
) -> tuple[Image, list[dict[str, Any]]]:
    """The portrait with everybody's marks, and the measures with what was drawn of them. faces: before enlarging."""
    found = [(_face_of(person, faces), person.marks) for person in people]
    large = [(None if face is None else face.scaled(config.scale), marks) for face, marks in found]
    image, carried = carry_marks(image, large, config.marks)
    pairs = zip(measured, carried, strict=True)
    return image, [record if marks is None else {**record, "marks": marks} for record, marks in pairs]


def _measure(portrait: Portrait, person: Person, faces: Sequence[Face]) -> dict[str, Any]:
    face = _face_of(person, faces)
    record: dict[str, Any] = {"sitter": person.sitter, "found": face is not None, "likeness": None}
    if face is None or face.embedding is None:
        return record
    sources = [r for r in person.references if r.picture.digest in portrait.sources]
    likeness = measure_likeness(face, person.references, _taken_with(sources, person.references))
    record |= {"likeness": likeness.score, "compared": likeness.compared}
    record |= {"best_distance": likeness.best_distance, "mean3_distance": likeness.mean3_distance}
    to_sources = [face.embedding.distance(r.face.embedding) for r in sources if r.face.embedding]
    record["source_distance"] = min(to_sources, default=None)
    if person.replaced is not None and person.replaced.embedding is not None:
        record["template_distance"] = face.embedding.distance(person.replaced.embedding)
    copied = copy_paste(portrait.image, face, person.references)
    if copied is not None:
        record["copy_paste"] = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(copied).items()}
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in record.items()}


def _taken_with(sources: Sequence[Reference], references: Sequence[Reference]) -> set[str]:
    """Digests of the sources and of every other frame of the videos they come from: those show the same moment."""
    files = {path for r in sources if (path := getattr(r.picture, "path", None)) is not None}
    return {
        r.picture.digest
        for r in (*sources, *references)
        if any(r is s for s in sources) or getattr(r.picture, "path", None) in files
    }


def _face_of(person: Person, faces: Sequence[Face]) -> Face | None:
    if not faces:
        return None
    if person.centre is None:
        return max(faces, key=lambda face: face.width)
    away = [float(np.linalg.norm(face.centre - person.centre)) for face in faces]
    near = int(np.argmin(away))
    return faces[near] if away[near] < faces[near].width else None


def _restored(image: Image) -> Image:
    from portraitist.retouch.restore import restore

    return restore(image)


def _enlarged(image: Image, scale: int, placement: Placement) -> Image:
    from portraitist.retouch.upscale import Upscaler

    return Upscaler.load(placement=placement)(image, scale)
