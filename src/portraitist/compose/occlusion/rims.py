"""The rim around one eye: the closed curve of strongest thin lines, found by dynamic programming in polar coordinates.

Source: the closed-contour shortest path of Amini, Weymouth and Jain, "Using dynamic programming for solving
variational problems in vision", PAMI 1990, over radii around the eye.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.regions import polygon_mask
from portraitist.types import Mask, Points

Values = NDArray[np.float32]

ANGLES = 72
RADII = np.arange(11.0, 44.0, 1.0)
"""Vertical radii tried, in view pixels; a lens is STRETCH times wider than high."""
STRETCH = 1.45
STRONG = 14.0
"""Line strength (L*) beyond which a line is not better: a brow must not beat a rim."""
BEND = 2
"""Radii a curve may change by between neighbouring angles."""


def rim_curve(lines: Values, forbidden: Mask, corners: Points) -> Values:
    """(72, 2) points of the rim around the eye with the two `corners` (2, 2), counted from the right, clockwise.

    lines: (h, w) line strength. forbidden: 1 where no rim can be (the eye itself).
    """
    along = corners[1, :2] - corners[0, :2]
    centre = corners[:, :2].mean(0) + np.array([0, 3.0], np.float32)
    turn = np.arctan2(along[1], along[0]) if along[0] >= 0 else np.arctan2(-along[1], -along[0])
    theta = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    rays = np.stack([STRETCH * np.cos(theta), np.sin(theta)], -1)
    c, s = np.cos(turn), np.sin(turn)
    rays = rays @ np.array([[c, s], [-s, c]])
    points = (centre + rays[:, None] * RADII[None, :, None]).astype(np.float32)
    gain = cv2.remap(np.minimum(lines, STRONG), points[..., 0], points[..., 1], cv2.INTER_LINEAR)
    blocked = cv2.remap(forbidden, points[..., 0], points[..., 1], cv2.INTER_LINEAR) > 0.3
    best = _closed_path(np.where(blocked, -STRONG, gain).astype(np.float64))
    return np.asarray(points[np.arange(ANGLES), best], np.float32)


def _closed_path(gain: NDArray[np.float64]) -> NDArray[np.int64]:
    """(angles,) radius indices of the best path; run twice round so that it closes on itself."""
    twice = np.concatenate([gain, gain])
    path = _best_path(twice)
    return np.roll(path[ANGLES // 2 : ANGLES // 2 + ANGLES], ANGLES // 2)


def _best_path(gain: NDArray[np.float64]) -> NDArray[np.int64]:
    steps, radii = gain.shape
    offsets = np.arange(-BEND, BEND + 1)
    cost = 0.6 * np.abs(offsets)[:, None]
    total, came = gain[0].copy(), np.zeros((steps, radii), np.int64)
    index = np.arange(radii)
    for step in range(1, steps):
        padded = np.pad(total, BEND, constant_values=-1e9)
        options = np.stack([padded[BEND + o : BEND + o + radii] for o in offsets]) - cost
        choice = options.argmax(0)
        came[step] = np.clip(index + offsets[choice], 0, radii - 1)
        total = options[choice, index] + gain[step]
    path = np.empty(steps, np.int64)
    path[-1] = int(total.argmax())
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path


def around(curves: list[Values], size: tuple[int, int], reach: int) -> NDArray[np.bool_]:
    """Pixels within `reach` of the closed curves."""
    mask = np.zeros(size, np.uint8)
    cv2.polylines(mask, [np.round(c).astype(np.int32) for c in curves], True, 1, 2 * reach + 1)
    return mask > 0


def within(curve: Values, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels a curve encloses."""
    return polygon_mask(size, [curve]) > 0.5
