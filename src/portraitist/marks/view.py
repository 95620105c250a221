"""A face as marks are looked for in it: upright, always as large, with a mask of the skin that can carry marks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.align import frame_by, portrait_matrix, reach
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask, polygon_mask
from portraitist.geometry import Matrix, apply, bounding_box, invert
from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.types import Face, Image, Mask, Points

SIDE = 1024
"""Pixels of a view's side unless asked otherwise."""
PART = 0.8
"""Part of the portrait framing that a view keeps: forehead, ears and chin just inside."""
_NOSTRILS = ((75, 60, 20, 238, 79, 166), (305, 290, 250, 458, 309, 392))
"""Mesh vertices around each nostril: dark, round and small, as moles are."""


@dataclass(frozen=True, eq=False)
class SkinView:
    """A square picture of one face. pixels: (side, side, 3). face: the mesh in pixels of the view.

    skin: (side, side) in [0, 1], 1 where a mark may be: no eyes, brows, lips, nostrils, nothing that covers the face,
    nothing beyond the photo. matrix: (2, 3) from pixels of the photo to pixels of the view.
    """

    pixels: Image
    skin: Mask
    face: Face
    matrix: Matrix

    @property
    def side(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[0])

    @property
    def scale(self) -> float:
        """Pixels of the view a pixel of the photo; above 1 the view is enlarged."""
        return float(np.sqrt(np.linalg.det(self.matrix[:, :2])))

    @property
    def mm(self) -> float:
        """Millimetres a pixel of the view, on skin seen head-on."""
        return millimetres_per_pixel(self.face)

    def to_photo(self, points: NDArray[np.floating]) -> Points:
        """(n, 2) pixels of the view to pixels of the photo."""
        return apply(invert(self.matrix), points)

    def from_photo(self, points: NDArray[np.floating]) -> Points:
        """(n, 2) pixels of the photo to pixels of the view."""
        return apply(self.matrix, points)


def skin_view(image: Image, face: Face, side: int = SIDE, *, hidden: Mask | None = None) -> SkinView:
    """The view of a face of `image`. hidden: (h, w) of the photo, 1 where hair, glasses, a hand cover the face."""
    matrix = portrait_matrix(face.landmarks, side, part=PART)
    pixels = frame_by(image, matrix, (side, side))
    seen = _seen_by(face, matrix)
    skin = _bare(seen, side) * reach(image, matrix, (side, side))
    if hidden is not None:
        skin = skin * (1 - cv2.warpAffine(hidden, matrix, (side, side), flags=cv2.INTER_LINEAR))
    return SkinView(pixels, np.asarray(skin, np.float32), seen, matrix)


def _seen_by(face: Face, matrix: Matrix) -> Face:
    """The face in pixels of the view."""
    landmarks = apply(matrix, face.landmarks)
    return replace(face, landmarks=landmarks, box_xyxy=bounding_box(landmarks[:, :2]))


def _bare(face: Face, side: int) -> Mask:
    """Skin by the mesh: without the outline, which the mesh misses by a little, the underside of the nose, brows, lips,
    lashes and the lid's fold."""
    size = (side, side)
    base = np.concatenate([face.landmarks[list(ring), :2] for ring in _NOSTRILS])
    nose = polygon_mask(size, [cv2.convexHull(np.asarray(base, np.float32)).reshape(-1, 2)])
    grown = [
        cv2.dilate(mask, _disc(reach * side))
        for mask, reach in (
            (nose, 0.014),
            (lips_mask(face, size), 0.025),
            (brows_mask(face, size), 0.04),
            (eyes_mask(face, size), 0.04),
        )
    ]
    oval = cv2.erode(oval_mask(face, size), _disc(0.012 * side))
    return np.asarray(np.clip(oval - np.maximum.reduce(grown), 0, 1), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    across = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)), np.uint8)
