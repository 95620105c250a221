"""A face made into nobody's before it is painted: another geometry, and at last no detail to know a person by.

A recogniser is trained to see through light and style, so painting alone seldom hides who it is. What it cannot see
through is another face: features are moved as far as faces differ, in a direction that has nothing to do with the
person. Where that is not enough, a mosaic is painted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Face, Image

_AMOUNT = 1.0
"""How far features are moved: further, a face becomes a grimace, and a mosaic is kinder."""
_EYES, _NOSE, _MOUTH, _BROWS, _JAW = (33, 263), (1,), (13, 14), (105, 334), (172, 397)


@dataclass(frozen=True)
class Disguise:
    """seed: which way features are moved and cells are dealt. cells: of a mosaic, across the face; 0 for none. dealt:
    the cells of the face change places, so that not even light and shade are where they were."""

    seed: int
    cells: int = 0
    dealt: bool = False


LADDER = (
    *(Disguise(seed) for seed in range(4)),
    Disguise(0, 8),
    *(Disguise(seed, 8, dealt=True) for seed in range(2)),
    *(Disguise(seed, 5, dealt=True) for seed in range(2)),
    Disguise(0, 3, dealt=True),
)
"""From what leaves a face to what leaves none. Another direction often hides what the first one did not."""
LEVELS = len(LADDER)
"""0 leaves the face alone, `LEVELS` is the last of the ladder."""
FOR_FILMS = LADDER.index(Disguise(0, 8, dealt=True)) + 1
"""Where no frame is tried twice."""


def disguised(frame: Image, face: Face, level: int) -> Image:
    """The framed face, made into somebody else's, or nobody's. face: in pixels of the frame. level: 0 to `LEVELS`."""
    if level <= 0:
        return frame
    step = LADDER[min(level, LEVELS) - 1]
    moved = _moved(frame, face, _AMOUNT, step.seed)
    if not step.cells:
        return moved
    cell = max(1, round(float(np.ptp(face.landmarks[:, 0])) / step.cells))
    mosaic = _mosaic(moved, cell)
    return _dealt(mosaic, face, cell, step.seed) if step.dealt else mosaic


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


def _mosaic(frame: Image, cell: int) -> Image:
    """Squares of `cell` pixels, counted from the frame's corner."""
    h, w = frame.shape[:2]
    rows, columns = -(-h // cell), -(-w // cell)
    padded = cv2.copyMakeBorder(frame, 0, rows * cell - h, 0, columns * cell - w, cv2.BORDER_REFLECT_101)
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large[:h, :w], np.uint8)


def _dealt(mosaic: Image, face: Face, cell: int, seed: int) -> Image:
    """The cells that touch the face, in another order."""
    size = np.array(mosaic.shape[1::-1])
    low = np.maximum(face.landmarks[:, :2].min(axis=0) // cell, 0).astype(int)
    high = np.minimum(face.landmarks[:, :2].max(axis=0) // cell, (size - 1) // cell).astype(int)
    small = mosaic[::cell, ::cell].copy()
    part = small[low[1] : high[1] + 1, low[0] : high[0] + 1]
    colours = part.reshape(-1, 3)
    part[:] = np.random.default_rng(seed).permutation(colours).reshape(part.shape)
    large = np.repeat(np.repeat(small, cell, axis=0), cell, axis=1)
    return np.asarray(large[: size[1], : size[0]], np.uint8)
