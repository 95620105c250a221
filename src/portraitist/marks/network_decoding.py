"""From the network's maps back to marks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import POINT_KINDS
from portraitist.marks.network_config import MarkNetworkConfig
from portraitist.marks.network_targets import (
    CENTRES,
    DIAMETER,
    DIAMETER_UNIT,
    HEAT,
    OFFSET_X,
    OFFSET_Y,
    RIDGE,
    STRIDE,
    WIDTH,
    WIDTH_UNIT,
)
from portraitist.marks.tracing import trace_lines
from portraitist.types import Mask

_CLOSEST = 0.4
"""Of two point marks nearer than this times the larger diameter, the surer one is kept."""


def activated(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's output with its heat maps and offsets in [0, 1]. (CHANNELS, rows, columns)."""
    maps, bounded = raw.copy(), [*HEAT, OFFSET_X, OFFSET_Y]
    maps[bounded] = 1 / (1 + np.exp(-np.clip(raw[bounded], -30, 30)))
    return maps


def decode(maps: NDArray[np.float32], skin: Mask, config: MarkNetworkConfig) -> list[FoundMark]:
    """The marks on the skin, surest first, in pixels of the picture. maps: activated; skin: (h, w) of the picture."""
    found = [mark for mark in _points(maps, config) if _at(skin, mark) >= 0.5]
    found += [mark for mark in _wrinkles(maps, skin, config)]
    return sorted(found, key=lambda mark: -mark.score)


def _points(maps: NDArray[np.float32], config: MarkNetworkConfig) -> list[FoundMark]:
    """Local maxima of the heat maps that pass the least score of their kind."""
    least = np.array([getattr(config, f"{kind}_score") for kind in POINT_KINDS], np.float32)
    heat = maps[list(CENTRES)]
    highest = heat.max(0)
    kinds = (heat / least[:, None, None]).argmax(0)
    scores = np.take_along_axis(heat, kinds[None], 0)[0]
    is_peak = (highest >= cv2.dilate(highest, np.ones((3, 3), np.uint8))) & (scores >= least[kinds])
    marks = [_point(maps, row, column, int(kinds[row, column]), least) for row, column in np.argwhere(is_peak)]
    return _apart(sorted(marks, key=lambda mark: -mark.score))


def _point(maps: NDArray[np.float32], row: int, column: int, kind: int, least: NDArray[np.float32]) -> FoundMark:
    place = STRIDE * (maps[[OFFSET_X, OFFSET_Y], row, column] + np.array([column, row]))
    diameter = DIAMETER_UNIT * np.exp(np.clip(maps[DIAMETER, row, column], -3, 4))
    sure = _sure(float(maps[kind, row, column]), float(least[kind]))
    return FoundMark(POINT_KINDS[kind], np.asarray(place[None], np.float32), float(diameter), sure)


def _sure(heat: float, least: float) -> float:
    """In [0, 1]: a half at the least heat that is reported, as the classical detector's contrast is weighed.

    Heat is no chance: of what reaches 0.3 nearly all moles are moles, and few pimples are pimples.
    """
    return heat / (heat + least)


def _apart(marks: list[FoundMark]) -> list[FoundMark]:
    """Without those that a surer one covers; a large mark can have two peaks."""
    kept: list[FoundMark] = []
    for mark in marks:
        gaps = [np.linalg.norm(mark.points[0] - other.points[0]) for other in kept]
        if all(gap > _CLOSEST * max(mark.diameter, o.diameter) for gap, o in zip(gaps, kept, strict=True)):
            kept.append(mark)
    return kept


def _wrinkles(maps: NDArray[np.float32], skin: Mask, config: MarkNetworkConfig) -> list[FoundMark]:
    rows, columns = maps.shape[1:]
    height, width = (min(side, limit) for side, limit in zip(skin.shape, (rows * STRIDE, columns * STRIDE)))
    on_skin = np.zeros((rows, columns), np.float32)
    size = (width // STRIDE, height // STRIDE)
    on_skin[: size[1], : size[0]] = cv2.resize(skin[:height, :width], size, interpolation=cv2.INTER_AREA)
    heat = np.where(on_skin >= 0.5, maps[RIDGE], 0)
    least = max(2, round(config.wrinkle_length * max(skin.shape) / STRIDE))
    lines = trace_lines(heat, config.wrinkle_follow, config.wrinkle_score, least)
    return [_wrinkle(maps, line, config.wrinkle_follow) for line in lines]


def _wrinkle(maps: NDArray[np.float32], line: NDArray[np.float32], least: float) -> FoundMark:
    places = (line - 0.5).T[::-1]
    # Cell i covers pixels 4 i to 4 i + 3, whole numbers being the middles of pixels.
    heat, widths = (map_coordinates(maps[channel], places, order=1, mode="nearest") for channel in (RIDGE, WIDTH))
    width = WIDTH_UNIT * float(np.exp(np.clip(np.median(widths), -3, 3)))
    return FoundMark(
        "wrinkle", np.asarray(line * STRIDE - 0.5, np.float32), width, _sure(float(np.clip(heat.mean(), 0, 1)), least)
    )


def _at(skin: Mask, mark: FoundMark) -> float:
    x, y = np.clip(mark.points[0].astype(int), 0, np.subtract(skin.shape[::-1], 1))
    return float(skin[y, x])
