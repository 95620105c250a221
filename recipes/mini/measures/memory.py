"""Memorisation: samples that are a training picture again, and how often held-out faces look as if they were.

A sample's nearest training picture is the one with the least descriptor distance, the sample taken as it is and
mirrored, since training mirrors. A sample counts as a copy when that distance is below 0.30 and the two pictures are
alike pixel by pixel too: SSIM above 0.6 of the pictures as they are, or of the training picture moved so that its eyes
and mouth lie where the sample's do, since training crops. Distance alone would call look-alikes copies, SSIM alone two
people before the same grey wall.

Tried on 24 training faces at 128 px: mirrored, blurred (sigma 1), cropped to 0.8 or brightened by 1.3, all are found;
cropped, mirrored, blurred and noisy (sigma 5) at once, 21. Of 627 people of the training split none is a copy of
another, of the 74 held out none either: the data's own share is zero, with an upper limit of 0.6 % from the former.

Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import mirror_index
from portraitist.geometry import similarity_matrix
from portraitist.types import Image, Points
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import Share, share

COPY_DISTANCE = 0.30
COPY_SSIM = 0.6
_ANCHORS = (33, 133, 362, 263, 61, 291, 1, 152)
"""Eye corners, mouth corners, nose, chin."""


@dataclass(frozen=True)
class Pair:
    """Indices of a picture and its nearest training picture. mirrored: the latter is nearest when flipped."""

    picture: int
    training: int
    distance: float
    ssim: float
    mirrored: bool

    @property
    def is_copy(self) -> bool:
        """Both the face and the pixels are those of the training picture."""
        return self.distance < COPY_DISTANCE and self.ssim > COPY_SSIM


@dataclass(frozen=True)
class Memory:
    """copies: share of pictures with a face that are copies. close: share with distance < 0.30, whatever the pixels.
    median_distance: to the nearest training picture. worst: closest pairs first, copies before all others."""

    copies: Share
    close: Share
    median_distance: float
    worst: tuple[Pair, ...]

    def row(self) -> tuple[str, str, str]:
        """Copies, and how near the nearest are."""
        remark = f"distance < {COPY_DISTANCE:.2f} alone: {self.close}; median distance {self.median_distance:.3f}"
        return "memorised", str(self.copies), remark


def nearest_pairs(
    pictures: Sequence[Reading],
    training: Sequence[Reading],
    *,
    people: Sequence[str] | None = None,
    people_training: Sequence[str] | None = None,
) -> list[Pair]:
    """The nearest training picture of every picture with a face, in order.

    With both lists of names, pictures of the same person are passed over: training faces against the rest of the
    training split are as good as held-out faces, and there are more of them.
    """
    found = [(i, other.descriptor) for i, other in enumerate(training) if other.descriptor is not None]
    known, descriptors = [i for i, _ in found], np.stack([descriptor for _, descriptor in found])
    owners = None if people_training is None else np.array(people_training)[known]
    pairs = []
    for index, picture in enumerate(pictures):
        if picture.descriptor is None or picture.mirrored is None:
            continue
        queries = np.stack([picture.descriptor, picture.mirrored])
        distances = np.linalg.norm(queries[:, None] - descriptors, axis=2)
        if people is not None and owners is not None:
            distances[:, owners == people[index]] = np.inf
        flipped, nearest = np.unravel_index(int(distances.argmin()), distances.shape)
        other = known[int(nearest)]
        likeness = pixel_likeness(picture, training[other], mirrored=bool(flipped))
        pairs.append(Pair(index, other, float(distances.min()), likeness, bool(flipped)))
    return pairs


def memorised(pairs: Sequence[Pair], people: Sequence[str] | None = None, *, worst: int = 40) -> Memory:
    """Shares over pairs. people: of every picture that was given to `nearest_pairs`. worst: how many pairs to keep."""
    owners = None if people is None else [people[pair.picture] for pair in pairs]
    ordered = sorted(pairs, key=lambda pair: (not pair.is_copy, pair.distance - pair.ssim))
    return Memory(
        share([pair.is_copy for pair in pairs], owners),
        share([pair.distance < COPY_DISTANCE for pair in pairs], owners),
        float(np.median([pair.distance for pair in pairs])),
        tuple(ordered[:worst]),
    )


def pixel_likeness(picture: Reading, other: Reading, *, mirrored: bool) -> float:
    """SSIM of grey pictures of one size, in [-1, 1]: the better of the other as it is and moved onto our face."""
    image, landmarks = other.image, None if other.face is None else other.face.landmarks
    if mirrored:
        image, landmarks = np.ascontiguousarray(image[:, ::-1]), _flipped(landmarks, image.shape[1])
    ours, theirs = _grey(picture.image), _grey(image)
    best = _ssim(ours, theirs)
    if picture.face is None or landmarks is None:
        return best
    anchors = list(_ANCHORS)
    matrix = similarity_matrix(landmarks[anchors], picture.face.landmarks[anchors])
    moved = cv2.warpAffine(theirs, matrix, ours.shape[::-1], flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return max(best, _ssim(ours, np.asarray(moved, np.uint8)))


def _flipped(landmarks: Points | None, width: int) -> Points | None:
    """The mesh of the mirrored picture, every vertex on its own side again."""
    if landmarks is None:
        return None
    flipped = landmarks[mirror_index()].copy()
    flipped[:, 0] = width - 1 - flipped[:, 0]
    return flipped


def _grey(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)


def _ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(one, other))
