"""The maps the network learns, at a quarter of the picture's side: what they mean, made from annotated marks.

A cell covers 4 x 4 pixels; the cell of a point is the whole part of its place over 4. Channels:
one heat map of centres for each point kind, 1 at a mark's cell and falling off around it (Zhou et al. 2019, Objects as
Points); where in its cell the mark lies; the logarithm of its diameter over 8 pixels; a heat map of wrinkles, 1 along
their middle; the logarithm of their width over 4 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.kinds import POINT_KINDS
from portraitist.types import Mask, Points

STRIDE = 4
CENTRES = range(len(POINT_KINDS))
OFFSET_X, OFFSET_Y, DIAMETER, RIDGE, WIDTH = range(len(POINT_KINDS), len(POINT_KINDS) + 5)
CHANNELS = WIDTH + 1
HEAT = (*CENTRES, RIDGE)
"""Heat maps. The network gives logits of these and of the offsets, and the logarithms as they are."""
DIAMETER_UNIT, WIDTH_UNIT = 8.0, 4.0
LEAST_DIAMETER = 1.5
"""Pixels; a smaller mark is hardly there, so it counts neither way."""
_RIDGE_SIGMA = 0.9
_LEAST_SKIN = 0.5


@dataclass(frozen=True, eq=False)
class Targets:
    """maps: (CHANNELS, rows, columns). counts: (rows, columns), 0 where nothing is known and 1 elsewhere.

    has_diameter, has_width: the same, 1 at the cells that have one.
    """

    maps: NDArray[np.float32]
    counts: NDArray[np.float32]
    has_diameter: NDArray[np.float32]
    has_width: NDArray[np.float32]


def targets(marks: Sequence[AnnotatedMark], skin: Mask, ignore: Mask) -> Targets:
    """The maps of a picture of (h, w), h and w multiples of 4. ignore: (h, w), above 0 where nothing is known.

    Outside the skin nothing is asked for. Marks that are not sure, and those too small to see, count neither way.
    """
    rows, columns = skin.shape[0] // STRIDE, skin.shape[1] // STRIDE
    empty = np.zeros((rows, columns), np.float32)
    made = Targets(np.zeros((CHANNELS, rows, columns), np.float32), _counts(skin, ignore), empty, empty.copy())
    sure = [mark for mark in marks if mark.is_sure and not _is_tiny(mark)]
    # The largest first, so that of two marks in one cell the smaller one, which is easier to lose, gives its place.
    for mark in sorted((m for m in sure if m.kind != "wrinkle"), key=lambda m: -(m.diameter or 0)):
        _add_point(made, mark)
    _add_wrinkles(made, [mark for mark in sure if mark.kind == "wrinkle"], skin.shape)
    for mark in marks:
        if not mark.is_sure or _is_tiny(mark):
            _forget(made, mark)
    return made


def distance_to(line: Points, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(rows, columns) pixels from the middle of each cell to a polyline in pixels of a picture of `shape` (h, w)."""
    if (line.max(0) < 0).any() or (line.min(0) > shape[1::-1]).any():
        return np.full((shape[0] // STRIDE, shape[1] // STRIDE), np.inf, np.float32)
    canvas = np.full(shape[:2], 255, np.uint8)
    steps = np.round(line * 16).astype(np.int32)
    cv2.polylines(canvas, [steps.reshape(-1, 1, 2)], False, 0, 1, cv2.LINE_8, 4)
    if canvas.all():
        return np.full((shape[0] // STRIDE, shape[1] // STRIDE), np.inf, np.float32)
    far = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle = STRIDE // 2
    # The middle of a cell is a corner of pixels: the mean of the four around it.
    around = [far[middle - dy :: STRIDE, middle - dx :: STRIDE] for dy in (0, 1) for dx in (0, 1)]
    return np.asarray(np.mean(around, axis=0), np.float32)


def _is_tiny(mark: AnnotatedMark) -> bool:
    return mark.kind != "wrinkle" and mark.diameter is not None and mark.diameter < LEAST_DIAMETER


def _counts(skin: Mask, ignore: Mask) -> NDArray[np.float32]:
    """1 for cells of skin without a pixel to ignore."""
    cells = (skin.shape[1] // STRIDE, skin.shape[0] // STRIDE)
    is_skin = cv2.resize(skin.astype(np.float32), cells, interpolation=cv2.INTER_AREA) >= _LEAST_SKIN
    is_known = cv2.resize((ignore > 0).astype(np.float32), cells, interpolation=cv2.INTER_AREA) == 0
    return np.asarray(is_skin & is_known, np.float32)


def _add_point(made: Targets, mark: AnnotatedMark) -> None:
    place = mark.points[0] / STRIDE
    column, row = (int(value) for value in np.floor(place))
    rows, columns = made.counts.shape
    if not (0 <= row < rows and 0 <= column < columns):
        return
    heat = made.maps[POINT_KINDS.index(mark.kind)]
    sigma = float(np.clip((mark.diameter or 0) / (4 * STRIDE), 0.7, 3.0))
    _raise(heat, row, column, sigma)
    made.maps[[OFFSET_X, OFFSET_Y], row, column] = place - (column, row)
    made.has_diameter[row, column] = mark.diameter is not None
    made.maps[DIAMETER, row, column] = np.log((mark.diameter or DIAMETER_UNIT) / DIAMETER_UNIT)


def _raise(heat: NDArray[np.float32], row: int, column: int, sigma: float) -> None:
    """Lay a Gaussian over the map where it is higher."""
    reach = int(np.ceil(3 * sigma))
    top, left = max(0, row - reach), max(0, column - reach)
    part = heat[top : row + reach + 1, left : column + reach + 1]
    y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    bell = np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * sigma**2))
    np.maximum(part, bell, out=part)


def _add_wrinkles(made: Targets, wrinkles: Sequence[AnnotatedMark], shape: tuple[int, ...]) -> None:
    nearest = np.full(made.counts.shape, np.inf, np.float32)
    for wrinkle in wrinkles:
        far = distance_to(wrinkle.points, shape) / STRIDE
        is_nearest = far < nearest
        nearest = np.where(is_nearest, far, nearest)
        made.has_width[is_nearest & (far < 1)] = wrinkle.diameter is not None
        made.maps[WIDTH][is_nearest] = np.log((wrinkle.diameter or WIDTH_UNIT) / WIDTH_UNIT)
    made.maps[RIDGE] = np.exp(-(nearest**2) / (2 * _RIDGE_SIGMA**2))


def _forget(made: Targets, mark: AnnotatedMark) -> None:
    """Nothing counts around a mark that somebody doubted."""
    radius = max(1.5 * (mark.diameter or 0), 2.0 * STRIDE)
    if mark.kind == "wrinkle":
        made.counts[distance_to(mark.points, tuple(STRIDE * side for side in made.counts.shape)) <= radius] = 0
        return
    limits = made.counts.shape[::-1]
    left, top = (np.clip((mark.points[0] - radius) // STRIDE, 0, limits)).astype(int)
    right, bottom = (np.clip((mark.points[0] + radius) // STRIDE + 1, 0, limits)).astype(int)
    y, x = STRIDE * np.mgrid[top:bottom, left:right] + (STRIDE - 1) / 2
    made.counts[top:bottom, left:right][np.hypot(x - mark.points[0, 0], y - mark.points[0, 1]) <= radius] = 0
