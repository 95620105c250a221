"""Pictures that controls are given, (h, w, 3) uint8 RGB: the face mesh as lines, face points, edges, colours."""

from __future__ import annotations

import functools
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import (
    LEFT_BROW_RING,
    LEFT_EYE_RING,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_BROW_RING,
    RIGHT_EYE_RING,
    triangles,
)
from portraitist.types import Image, Points

CANNY_THRESHOLDS = (100, 200)
"""Gradient thresholds of the edge picture; training and prompting share them."""
COLOUR_CELLS = 16
"""Cells of the colour grid along the shorter side: some eight across a face, which say its tones and no feature."""
# fmt: off
FACE_POINTS = (
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)
"""Vertices at the 68 places that face landmarks are given at: jaw, brows, nose, eyes, lips (Sagonas et al. 2013)."""
# fmt: on


def draw_mesh(landmarks: Points, size: tuple[int, int]) -> Image:
    """The 468-point mesh as lines. landmarks: (468, 2) or more columns, pixels of a picture of `size` (h, w).

    Red: every edge of the mesh, dim. Green: oval, eyes, brows. Blue: lips. Lines are anti-aliased, so that a shift of
    less than a pixel shows.
    """
    canvas = np.zeros((*size, 3), np.uint8)
    points = np.round(landmarks[:, :2] * 16).astype(np.int32)
    for channel, level, edges in _line_sets():
        layer = np.zeros(size, np.uint8)
        cv2.polylines(layer, list(points[edges]), False, level, 1, cv2.LINE_AA, shift=4)
        canvas[..., channel] = layer
    return canvas


def draw_canny(image: Image) -> Image:
    """Canny edges in all three channels, after a 3 x 3 blur."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    edges = cv2.Canny(grey, *CANNY_THRESHOLDS)
    return np.asarray(np.repeat(edges[..., None], 3, axis=2), np.uint8)


def draw_face_points(landmarks: Points, size: tuple[int, int]) -> Image:
    """White dots on black at 68 places of the face and at both pupils, as OpenPose's faces are drawn.

    landmarks: (468, 2) or more columns, pixels of a picture of `size` (h, w). Dots are three pixels in radius at 512.
    Source: the drawing of ControlNet 1.1's "openpose_faceonly".
    """
    canvas = np.zeros((*size, 3), np.uint8)
    pupils = [landmarks[list(ring), :2].mean(axis=0) for ring in (RIGHT_EYE_RING, LEFT_EYE_RING)]
    radius = max(1, round(3 * min(size) / 512))
    for x, y in [*landmarks[list(FACE_POINTS), :2], *pupils]:
        cv2.circle(canvas, (round(float(x)), round(float(y))), radius, (255, 255, 255), -1, cv2.LINE_AA)
    return canvas


def draw_colour_grid(image: Image, cells: int = COLOUR_CELLS) -> Image:
    """The picture as a grid of mean colours, `cells` along its shorter side, enlarged again without smoothing."""
    h, w = image.shape[:2]
    grid = (max(1, round(w * cells / min(h, w))), max(1, round(h * cells / min(h, w))))
    small = cv2.resize(image, grid, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


@functools.cache
def _line_sets() -> tuple[tuple[int, int, NDArray[np.int64]], ...]:
    """(channel, brightness, (n, 2) vertex pairs) of each layer."""
    rings = (OVAL, LEFT_EYE_RING, RIGHT_EYE_RING, LEFT_BROW_RING, RIGHT_BROW_RING)
    return (
        (0, 160, _mesh_edges()),
        (1, 255, np.concatenate([_ring_edges(ring) for ring in rings])),
        (2, 255, np.concatenate([_ring_edges(ring) for ring in (LIPS_OUTER, LIPS_INNER)])),
    )


def _mesh_edges() -> NDArray[np.int64]:
    corners = triangles()
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)


def _ring_edges(ring: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(list(pairwise([*ring, ring[0]])), np.int64)
