"""ID photos on a sheet of photo paper, with cut marks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from portraitist.errors import ConfigError, InputError
from portraitist.styles.formats import DPI, to_pixels
from portraitist.types import Image

PAPERS = {"4x6in": (152.4, 101.6), "10x15cm": (150.0, 100.0), "a6": (148.0, 105.0)}
"""Width and height in mm, long side first."""
_GAP_MM, _MARK_MM = 3.0, 2.0
_MARK_GREY = 120


def print_sheet(photo: Image, paper: str = "4x6in", *, dpi: int = DPI) -> Image:
    """As many copies as fit, unscaled, on white paper turned the better way; pixels of the copies are untouched.

    Print at 100 % ("actual size") at `dpi`. Raises ConfigError on an unknown paper, InputError when not one fits.
    """
    if paper not in PAPERS:
        raise ConfigError(f"paper '{paper}': unknown; known are {', '.join(PAPERS)}")
    long, short = (to_pixels(side, dpi) for side in PAPERS[paper])
    gap = to_pixels(_GAP_MM, dpi)
    size = max(((short, long), (long, short)), key=lambda s: np.prod(_grid(photo, s, gap)))
    rows, columns = _grid(photo, size, gap)
    if rows * columns == 0:
        raise InputError(
            f"the photo of {photo.shape[1]} x {photo.shape[0]} px does not fit on {paper}; choose a larger paper"
        )
    sheet = np.full((*size, 3), 255, np.uint8)
    for top, left in _corners(photo, size, (rows, columns), gap):
        _mark(sheet, top, left, photo.shape[0], photo.shape[1], to_pixels(_MARK_MM, dpi))
    for top, left in _corners(photo, size, (rows, columns), gap):
        sheet[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
    return sheet


def _grid(photo: Image, size: tuple[int, int], gap: int) -> tuple[int, int]:
    """Rows and columns that fit with a gap around each copy."""
    return (size[0] - gap) // (photo.shape[0] + gap), (size[1] - gap) // (photo.shape[1] + gap)


def _corners(photo: Image, size: tuple[int, int], grid: tuple[int, int], gap: int) -> Iterator[tuple[int, int]]:
    """Top left corners of the copies, the block centred on the sheet."""
    steps = photo.shape[0] + gap, photo.shape[1] + gap
    starts = [(size[i] - (grid[i] * steps[i] - gap)) // 2 for i in (0, 1)]
    for row in range(grid[0]):
        for column in range(grid[1]):
            yield starts[0] + row * steps[0], starts[1] + column * steps[1]


def _mark(sheet: Image, top: int, left: int, h: int, w: int, length: int) -> None:
    """Short lines that continue the four edges outside the copy: cut along them."""
    for y in (top - 1, top + h):
        sheet[y, max(0, left - length) : left] = _MARK_GREY
        sheet[y, left + w : left + w + length] = _MARK_GREY
    for x in (left - 1, left + w):
        sheet[max(0, top - length) : top, x] = _MARK_GREY
        sheet[top + h : top + h + length, x] = _MARK_GREY
