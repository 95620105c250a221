"""Who is painted in a picture: everybody, the sitter, or everybody else so that nobody knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.geometry import box_overlap
from portraitist.stylize.disguise import LEVELS
from portraitist.stylize.engine import Painted, PaintEngine, PaintItem
from portraitist.tasks.paint_config import PaintRequest
from portraitist.tasks.sitting import Cast
from portraitist.types import Face, Image

KNOWN = 0.5
"""Distance below which a face is the sitter's: the EER threshold of docs/faces.md, rounded up."""
UNKNOWN = 0.7
"""Distance to the original above which `privacy` calls a face hidden."""


@dataclass(frozen=True)
class Chosen:
    """The faces to paint, those that stay, and the sitter's where they were looked for and found."""

    painted: tuple[Face, ...]
    others: tuple[Face, ...]
    sitter: Face | None = None


def choose(faces: Sequence[Face], request: PaintRequest, cast: Cast | None) -> Chosen:
    """Split the faces of a picture. Raises ConfigError when the sitter is needed and not named."""
    if cast is None:
        if request.only_sitter or request.privacy or request.marks:
            raise ConfigError("only_sitter, privacy and marks need the sitter; say --sitter NAME")
        return Chosen(tuple(faces), ())
    sitter = sitters_face(faces, cast)
    rest = tuple(face for face in faces if face is not sitter)
    own = () if sitter is None else (sitter,)
    if request.privacy:
        return Chosen(rest, own, sitter)
    return Chosen(own, rest, sitter) if request.only_sitter else Chosen(tuple(faces), (), sitter)


def sitters_face(faces: Sequence[Face], cast: Cast) -> Face | None:
    """The face nearest to the sitter's photos, if it is near enough."""
    known = [r.face.embedding for r in cast.everyone if r.face.embedding is not None]
    measured = [(min(face.embedding.distance(e) for e in known), i) for i, face in enumerate(faces) if face.embedding]
    nearest = min(measured, default=(KNOWN, 0)) if known else (KNOWN, 0)
    return faces[nearest[1]] if nearest[0] < KNOWN else None


@dataclass(frozen=True, eq=False)
class Hiding:
    """Paints people until a recogniser no longer knows them: each face is disguised a level further until it is."""

    engine: PaintEngine
    reader: FaceReader

    def __call__(self, image: Image, chosen: Chosen, seed: int) -> tuple[Painted, list[dict[str, Any]]]:
        """The picture, and for each face painted its level, its distance to the original and whether it is hidden."""
        levels, records = [0] * len(chosen.painted), []
        while True:
            item = PaintItem(image, chosen.painted, chosen.others, disguise=tuple(levels))
            painted = next(self.engine(item, seed=seed))
            away = [self.distance(painted.image, face) for face in chosen.painted]
            again = [i for i, d in enumerate(away) if d <= UNKNOWN and levels[i] < LEVELS]
            if not again:
                break
            for index in again:
                levels[index] += 1
        records = [{"level": level, "distance": round(d, 4), "hidden": d > UNKNOWN} for level, d in zip(levels, away)]
        return painted, records

    def distance(self, image: Image, face: Face) -> float:
        """To the original: the least over the face where it was and whatever face a detector finds there now."""
        assert face.embedding is not None
        there = [f for f in self.reader.read(image) if box_overlap(f.box_xyxy, face.box_xyxy) > 0.2]
        found = [self.reader.embed(image, face), *(f.embedding for f in there if f.embedding)]
        return min(face.embedding.distance(embedding) for embedding in found)
