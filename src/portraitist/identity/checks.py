"""What is measured of a checkpoint: its validation loss, and portraits scored by likeness, copies and drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Literal

import numpy as np

from portraitist.faces.ranking import copy_paste, measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.types import Face, Image, Reference

NO_FACE_DISTANCE = 1.2
"""Stands for a portrait without a face: farther than two strangers are."""
Kind = Literal["text", "template"]
KINDS: tuple[Kind, ...] = ("text", "template")
PLACES: dict[Kind, str] = {"text": "in words", "template": "in templates"}


@dataclass(frozen=True, eq=False)
class ValidationPortrait:
    """What a checkpoint drew. kind: from words, or in a template. sources: digests of the photos whose pixels went in;
    likeness and copies are never taken against them."""

    image: Image
    kind: Kind = "text"
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortraitScore:
    """One validation portrait. distance: to the nearest photo it is compared with. excess: copy-paste beyond the
    album's own closest pair, 0 or less is no copy. drift: mean absolute difference in grey levels to what the base
    drew from the same noise without the LoRA. distance and excess are None where no face was found."""

    number: int
    distance: float | None
    excess: float | None
    drift: float
    kind: Kind = "text"

    @property
    def is_copy(self) -> bool:
        """Closer to a training photo than the album's photos are to each other."""
        return self.excess is not None and self.excess > 0


@dataclass(frozen=True)
class Check:
    """A checkpoint's measures. validation_loss is None without photos for it; without photos to compare with there are
    portraits but no scores."""

    step: int
    validation_loss: float | None
    scores: tuple[PortraitScore, ...] = ()
    portraits: tuple[ValidationPortrait, ...] = field(default=(), repr=False, compare=False)

    def distance_of(self, kind: Kind) -> float | None:
        """Mean over the portraits of a kind, a missing face counting as a stranger; None without any."""
        found = [NO_FACE_DISTANCE if s.distance is None else s.distance for s in self.scores if s.kind == kind]
        return mean(found) if found else None

    @property
    def distance(self) -> float | None:
        """Mean of the kinds' distances, each kind counting the same however many portraits it has; None without
        scores."""
        found = [distance for kind in KINDS if (distance := self.distance_of(kind)) is not None]
        return mean(found) if found else None

    @property
    def copies(self) -> int:
        """Portraits that are closer to a training photo than two photos of the album."""
        return sum(score.is_copy for score in self.scores)

    @property
    def sentence(self) -> str:
        """Its measures in words; empty without any."""
        found = [(distance, PLACES[kind]) for kind in KINDS if (distance := self.distance_of(kind)) is not None]
        distances = ", ".join(f"{distance:.3f} {place}" for distance, place in found)
        parts = [f"distance {distances}, copies {self.copies}"] if found else []
        if self.validation_loss is not None:
            parts.append(f"validation loss {self.validation_loss:.4f}")
        return "; ".join(parts)


def score_portraits(
    portraits: Sequence[ValidationPortrait],
    without: Sequence[ValidationPortrait],
    compared: Sequence[Reference],
    trained: Sequence[Reference],
    reader: FaceReader,
) -> tuple[PortraitScore, ...]:
    """Scores of portraits. without: the base's own from the same noise. compared: photos that likeness is taken to.
    trained: photos that were learned from, for copies."""
    return tuple(
        _score(number, portrait, base.image, compared, trained, reader)
        for number, (portrait, base) in enumerate(zip(portraits, without, strict=True))
    )


def _score(
    number: int,
    portrait: ValidationPortrait,
    base: Image,
    compared: Sequence[Reference],
    trained: Sequence[Reference],
    reader: FaceReader,
) -> PortraitScore:
    drift = float(np.abs(portrait.image.astype(np.float32) - base).mean())
    face = largest_face(portrait.image, reader)
    if face is None:
        return PortraitScore(number, None, None, drift, portrait.kind)
    # A portrait in a template has a photo's texture by design: what counts is whether it became another photo.
    others = [reference for reference in trained if reference.picture.digest not in portrait.sources]
    copied = copy_paste(portrait.image, face, others)
    distance = measure_likeness(face, compared, used=portrait.sources).best_distance
    return PortraitScore(number, distance, None if copied is None else copied.excess, drift, portrait.kind)


def largest_face(image: Image, reader: FaceReader) -> Face | None:
    """The largest face with its embedding, None where there is none."""
    faces = reader.read(image)
    return max(faces, key=lambda face: face.width) if faces else None
