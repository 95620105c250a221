"""One picture at halved sizes, so that every network's crop is taken from the level nearest to its own scale.

Sampling a 1600 px photo straight into 192 px would alias; averaging it down once and sharing the levels costs less than
filtering every crop on its own.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image


class Pyramid:
    """Halved copies of one picture (h, w, 3), made when first needed. Pixel coordinates are always the picture's."""

    def __init__(self, image: Image) -> None:
        self._levels = [image]

    @property
    def image(self) -> Image:
        """The picture itself."""
        return self._levels[0]

    def warp(self, matrix: NDArray[np.floating], side: int) -> Image:
        """(side, side, 3) crop; `matrix` (2, 3) maps picture pixels onto it. Outside the picture is black."""
        scale = float(np.sqrt(abs(np.linalg.det(np.asarray(matrix)[:, :2]))))
        level = max(0, int(np.floor(np.log2(1 / max(scale, 1e-6)) + 0.25)))
        source, factor = self._level(level)
        moved = np.asarray(matrix, np.float64).copy()
        # Pixel centres: picture x = factor (x' + 0.5) - 0.5.
        moved[:, 2] += moved[:, :2] @ np.full(2, (factor - 1) / 2)
        moved[:, :2] *= factor
        return np.asarray(cv2.warpAffine(source, moved, (side, side), flags=cv2.INTER_LINEAR), np.uint8)

    def _level(self, level: int) -> tuple[Image, float]:
        """The picture halved `level` times, or as often as it stays over 16 px, and its factor."""
        while len(self._levels) <= level and min(self._levels[-1].shape[:2]) >= 32:
            last = self._levels[-1]
            # An odd row or column is cut off, so that a level's pixel is exactly four of the level above.
            even = last[: last.shape[0] // 2 * 2, : last.shape[1] // 2 * 2]
            half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, np.uint8))
        index = min(level, len(self._levels) - 1)
        return self._levels[index], float(2**index)


def pyramid_of(picture: Image | Pyramid) -> Pyramid:
    """The pyramid itself, or a new one over the picture."""
    return picture if isinstance(picture, Pyramid) else Pyramid(picture)
