"""A face made into nobody's before it is painted: another geometry, and at last no detail to know a person by.

A recogniser is trained to see through light and style, so painting alone seldom hides who it is. What it cannot see
through is another face: features are moved as far as faces differ, in a direction that has nothing to do with the
person. Where that is not enough, a mosaic is painted.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Face, Image

_WARPS = (1.0,)
"""How far features are moved at the first levels: further, a face becomes a grimace, and a mosaic is kinder."""
_CELLS = (8, 5, 3, 2)
"""Across the face, of the mosaics at the last levels."""
LEVELS = len(_WARPS) + len(_CELLS)
"""0 leaves the face alone, `LEVELS` is the coarsest mosaic."""
_EYES, _NOSE, _MOUTH, _BROWS, _JAW = (33, 263), (1,), (13, 14), (105, 334), (172, 397)


def disguised(frame: Image, face: Face, level: int, seed: int = 0) -> Image:
    """The framed face, further from itself with each level. face: in pixels of the frame."""
    if level <= 0:
        return frame
    width = float(np.ptp(face.landmarks[:, 0]))
    moved = _moved(frame, face, _WARPS[min(level, len(_WARPS)) - 1], seed)
    return moved if level <= len(_WARPS) else _mosaic(moved, width / _CELLS[min(level, LEVELS) - len(_WARPS) - 1])


def _moved(frame: Image, face: Face, amount: float, seed: int) -> Image:
    """Features pushed about by up to a tenth of the face's width times `amount`, smoothly."""
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


def _mosaic(frame: Image, cell: float) -> Image:
    """Squares of about `cell` pixels."""
    h, w = frame.shape[:2]
    small = cv2.resize(frame, (max(1, round(w / cell)), max(1, round(h / cell))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)
