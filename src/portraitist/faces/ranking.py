"""Likeness of portraits to photos they were not made from, and watching for copies.

Likeness is taken against the album's faces whose photos did not go into the portrait (by digest). With none left it is
not measurable, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.embed import chip_matrix
from portraitist.faces.likeness import likeness
from portraitist.faces.pyramid import Pyramid
from portraitist.geometry import Matrix
from portraitist.types import Embedding, Face, Image, Reference

_BEST = 3
_CHIP = 64
_CLOSEST_PHOTOS = 6
"""Photos compared pixel by pixel: the nearest by distance, so that a large album is not decoded whole."""


@dataclass(frozen=True)
class Likeness:
    """Distances of raw descriptors to the album's other faces, and the score of the best on [0, 1].

    best_distance: the nearest photo. mean3_distance: mean of the best three (fewer where there are fewer).
    compared: how many photos were left. All three measures are None when none was: not measurable.
    """

    best_distance: float | None
    mean3_distance: float | None
    score: float | None
    compared: int

    @property
    def measurable(self) -> bool:
        """Whether any photo was left that the portrait was not made from."""
        return self.score is not None


@dataclass(frozen=True)
class CopyPaste:
    """How close a portrait is to its nearest source photo, beside how close the album's own photos are to each other.

    pixels: correlation of the aligned, light-normalised faces in [-1, 1] (1 is the same pixels). distance: descriptor
    distance to that photo. album_pixels, album_distance: the closest pair within the album, None with fewer than two
    photos.
    """

    pixels: float
    distance: float
    nearest: str
    album_pixels: float | None
    album_distance: float | None

    @property
    def excess(self) -> float:
        """How far the portrait is beyond the album's own closest pair, in correlation; over 0 is suspicious."""
        return self.pixels - (self.album_pixels if self.album_pixels is not None else 1.0)


def measure_likeness(portrait_face: Face, references: Sequence[Reference], used: Collection[str]) -> Likeness:
    """Likeness to the references whose digest is not in `used`. Faces without an embedding count as not there."""
    ours = portrait_face.embedding
    left = [r.face.embedding for r in references if r.picture.digest not in used and r.face.embedding is not None]
    if ours is None or not left:
        return Likeness(None, None, None, 0)
    distances = sorted(ours.distance(other) for other in left)
    best = distances[:_BEST]
    return Likeness(distances[0], float(np.mean(best)), likeness(distances[0]), len(distances))


def copy_paste(portrait_image: Image, portrait_face: Face, references: Sequence[Reference]) -> CopyPaste | None:
    """The nearest source photo by aligned pixels, and the album's own closest pair. None without references.

    Raises InputError when an embedding comes from another recogniser.
    """
    embedding = portrait_face.embedding
    known = [(r, r.face.embedding) for r in references if r.face.embedding is not None]
    if embedding is None or not known:
        return None
    near = sorted(known, key=lambda pair: embedding.distance(pair[1]))[:_CLOSEST_PHOTOS]
    ours = aligned_chip(portrait_image, portrait_face)
    chips = [_reference_chip(reference) for reference, _ in near]
    closeness = [correlation(ours, chip) for chip in chips]
    nearest = int(np.argmax(closeness))
    reference, theirs = near[nearest]
    pixels, distance = _closest_pair(chips, [e for _, e in near])
    return CopyPaste(closeness[nearest], embedding.distance(theirs), reference.picture.digest, pixels, distance)


def _closest_pair(chips: list[NDArray[np.float32]], embeddings: list[Embedding]) -> tuple[float | None, float | None]:
    pairs = list(combinations(range(len(chips)), 2))
    if not pairs:
        return None, None
    return (
        max(correlation(chips[a], chips[b]) for a, b in pairs),
        min(embeddings[a].distance(embeddings[b]) for a, b in pairs),
    )


def _reference_chip(reference: Reference) -> NDArray[np.float32]:
    image = reference.picture.pixels(1024)
    return aligned_chip(image, reference.face.scaled(image.shape[1] / reference.picture.size[1]))


def aligned_chip(image: Image, face: Face) -> NDArray[np.float32]:
    """(64, 64) aligned face, its slow light taken out and scaled to unit variance, so that a recoloured copy shows."""
    matrix: Matrix = chip_matrix(face.landmarks) * (_CHIP / 150)
    grey = cv2.cvtColor(Pyramid(image).warp(matrix, _CHIP), cv2.COLOR_RGB2GRAY).astype(np.float32)
    inner = np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _CHIP / 8), np.float32)
    return np.asarray((inner - inner.mean()) / max(float(inner.std()), 1e-3), np.float32)


def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Best normalised correlation of two aligned chips over shifts of up to 2 px, in [-1, 1]."""
    inner = one[8:-8, 8:-8]
    area = np.ascontiguousarray(other[6:-6, 6:-6])
    return float(cv2.matchTemplate(area, np.ascontiguousarray(inner), cv2.TM_CCOEFF_NORMED).max())
