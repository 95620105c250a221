"""The 468-point face mesh.

Source: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019
(arXiv:1907.06724).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.pyramid import Pyramid, pyramid_of
from portraitist.geometry import apply, invert, square_crop
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.types import Image, Points
from portraitist.weights import fetch

CROP_SIDE = 192
CROP_MARGIN = 1.5
"""Side of the crop over the side of the face box."""
RIGHT_EYE = (33, 133)
LEFT_EYE = (362, 263)
"""Corners of the sitter's own right eye (picture left) and left eye, outer to inner and inner to outer."""


class MeshNetwork:
    """Fits the mesh to one face. The crop comes from a rough box; a second pass centres it on the first mesh."""

    def __init__(self, placement: Placement = Placement()) -> None:
        self._network = LiteNetwork(fetch("face-mesh"), placement.threads)

    def fit(
        self, picture: Image | Pyramid, centre: NDArray[np.floating], side: float, roll: float
    ) -> tuple[Points, float]:
        """(468, 3) points in pixels of the picture, and presence in [0, 1].

        centre (2,), side and roll (degrees, clockwise) describe the face in the picture.
        """
        picture = pyramid_of(picture)
        points, presence = self._pass(picture, centre, side, roll)
        if presence < 0.05:
            return points, presence
        again, certainty = self._pass(picture, *crop_of(points))
        return (again, certainty) if certainty >= presence * 0.8 else (points, presence)

    def _pass(self, picture: Pyramid, centre: NDArray[np.floating], side: float, roll: float) -> tuple[Points, float]:
        matrix = square_crop(centre, side * CROP_MARGIN, roll, CROP_SIDE)
        crop = picture.warp(matrix, CROP_SIDE)
        raw, logit = self._network(crop[None].astype(np.float32) / np.float32(255))
        points = apply(invert(matrix), raw.reshape(468, 3))
        return points, float(1 / (1 + np.exp(-np.clip(logit.reshape(-1)[0], -80, 80))))


def roll_of(points: Points) -> float:
    """In-plane tilt of the eye line in degrees, clockwise: good enough to turn a crop upright."""
    right, left = points[list(RIGHT_EYE), :2].mean(0), points[list(LEFT_EYE), :2].mean(0)
    return float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))


def crop_of(points: Points) -> tuple[NDArray[np.float32], float, float]:
    """Centre, side and roll of the box around a mesh, in the mesh's own tilted frame."""
    roll = roll_of(points)
    upright = square_crop(np.zeros(2), 1.0, roll, 1)
    turned = apply(upright, points[:, :2])
    low, high = turned.min(0), turned.max(0)
    centre = apply(invert(upright), ((low + high) / 2)[None])[0]
    return centre, float((high - low).max()), roll
