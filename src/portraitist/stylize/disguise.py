"""A face made into nobody's before it is painted: another geometry, and less detail to know a person by.

A recogniser is trained to see through light and style, so painting alone seldom hides who it is. What it cannot see
through is another face: features are moved as far as faces differ, in a direction that has nothing to do with the
person, and the fine detail goes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Face, Image

LEVELS = 6
"""0 leaves the face alone, `LEVELS` is a mosaic."""
_EYES, _NOSE, _MOUTH, _BROWS, _JAW = (33, 263), (1,), (13, 14), (105, 334), (172, 397)
_CELLS = 9
"""Across the face, of the mosaic."""


def disguised(frame: Image, face: Face, level: int, seed: int = 0) -> Image:
    """The framed face, further from itself with each level. face: in pixels of the frame."""
    if level <= 0:
        return frame
    width = float(np.ptp(face.landmarks[:, 0]))
    if level >= LEVELS:
        return _mosaic(_moved(frame, face, 1.0, seed), width)
    amount = level / (LEVELS - 1)
    softened = cv2.GaussianBlur(_moved(frame, face, amount, seed), (0, 0), max(0.3, 0.02 * amount * width))
    return np.asarray(softened, np.uint8)


def _moved(frame: Image, face: Face, amount: float, seed: int) -> Image:
    """Features pushed about by up to a tenth of the face's width, smoothly."""
    h, w = frame.shape[:2]
    width = float(np.ptp(face.landmarks[:, 0]))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    dx, dy = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
    for centre, shift, reach in _pushes(face, seed):
        weight = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / np.float32(2 * (reach * width) ** 2))
        dx += weight * np.float32(shift[0] * amount * width)
        dy += weight * np.float32(shift[1] * amount * width)
    moved = cv2.remap(frame, x - dx, y - dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def _pushes(face: Face, seed: int) -> list[tuple[NDArray[np.float32], tuple[float, float], float]]:
    """(centre, shift, reach) in pixels and face widths. Pairs move apart or together, so that the face stays one."""
    random = np.random.default_rng(seed)
    points, found = face.landmarks[:, :2], []
    for pair, most_x, most_y, reach in ((_EYES, 0.07, 0.05, 0.13), (_BROWS, 0.03, 0.06, 0.12), (_JAW, 0.10, 0.05, 0.2)):
        across, down = random.choice((-1, 1)) * most_x, random.choice((-1, 1)) * most_y
        found += [(points[pair[0]], (-across, down), reach), (points[pair[1]], (across, down), reach)]
    for group, most, reach in ((_NOSE, 0.08, 0.13), (_MOUTH, 0.08, 0.15)):
        found.append((points[list(group)].mean(0), (0.0, float(random.choice((-1, 1)) * most)), reach))
    return found


def _mosaic(frame: Image, width: float) -> Image:
    h, w = frame.shape[:2]
    cell = max(2.0, width / _CELLS)
    small = cv2.resize(frame, (max(1, round(w / cell)), max(1, round(h / cell))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)
