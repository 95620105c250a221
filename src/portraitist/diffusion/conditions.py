"""Pictures that controls are given: the face mesh as lines, and Canny edges. Black ground, (h, w, 3) uint8 RGB."""

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
