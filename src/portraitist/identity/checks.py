"""What is measured of a checkpoint: its validation loss, and portraits scored by likeness, copies and drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

import numpy as np

from portraitist.faces.ranking import copy_paste, measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.types import Face, Image, Reference

NO_FACE_DISTANCE = 1.2
"""Stands for a portrait without a face: farther than two strangers are."""


@dataclass(frozen=True)
class PortraitScore:
    """One validation portrait. distance: to the nearest photo it is compared with. excess: copy-paste beyond the
    album's own closest pair, 0 or less is no copy. drift: mean absolute difference in grey levels to what the base
    drew from the same noise without the LoRA. distance and excess are None where no face was found."""

    number: int
    distance: float | None
    excess: float | None
    drift: float

    @property
    def is_copy(self) -> bool:
        """Closer to a training photo than the album's photos are to each other."""
        return self.excess is not None and self.excess > 0


@dataclass(frozen=True)
class Check:
    """A checkpoint's measures. validation_loss is None without photos for it."""

    step: int
    validation_loss: float | None
    scores: tuple[PortraitScore, ...] = ()
    portraits: tuple[Image, ...] = field(default=(), repr=False, compare=False)

    @property
    def distance(self) -> float | None:
        """Mean over the portraits, a missing face counting as a stranger; None without portraits."""
        if not self.scores:
            return None
        return mean(NO_FACE_DISTANCE if s.distance is None else s.distance for s in self.scores)

    @property
    def copies(self) -> int:
        """Portraits that are closer to a training photo than two photos of the album."""
        return sum(score.is_copy for score in self.scores)


def score_portraits(
    portraits: Sequence[Image],
    without: Sequence[Image],
    compared: Sequence[Reference],
    trained: Sequence[Reference],
    reader: FaceReader,
) -> tuple[PortraitScore, ...]:
    """Scores of portraits (h, w, 3). without: the base's own from the same noise. compared: photos that likeness is
    taken to. trained: photos that were learned from, for copies."""
    return tuple(
        _score(number, portrait, base, compared, trained, reader)
        for number, (portrait, base) in enumerate(zip(portraits, without, strict=True))
    )


def _score(
    number: int,
    portrait: Image,
    base: Image,
    compared: Sequence[Reference],
    trained: Sequence[Reference],
    reader: FaceReader,
) -> PortraitScore:
    drift = float(np.abs(portrait.astype(np.float32) - base).mean())
    face = largest_face(portrait, reader)
    if face is None:
        return PortraitScore(number, None, None, drift)
    copied = copy_paste(portrait, face, trained)
    distance = measure_likeness(face, compared, used=()).best_distance
    return PortraitScore(number, distance, None if copied is None else copied.excess, drift)


def largest_face(image: Image, reader: FaceReader) -> Face | None:
    """The largest face with its embedding, None where there is none."""
    faces = reader.read(image)
    return max(faces, key=lambda face: face.width) if faces else None
