"""Contact sheets: many pictures on one page, each with a caption under it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from portraitist.errors import InputError
from portraitist.geometry import fit_within
from portraitist.types import Image

_PAPER = (250, 249, 247)
_INK = (45, 45, 48)
_GAP = 12


def contact_sheet(
    images: Sequence[Image], captions: Sequence[str] = (), *, columns: int = 4, cell: tuple[int, int] = (256, 256)
) -> Image:
    """Pictures in reading order, each fitted into a (h, w) cell without cropping, with its caption below.

    Captions may have several lines (`\\n`); a line that is too long ends in an ellipsis. Raises InputError when there
    are no pictures or the captions do not match them.
    """
    if not images or (captions and len(captions) != len(images)):
        raise InputError(f"contact sheet: expected one caption a picture, found {len(images)} and {len(captions)}")
    columns = max(1, min(columns, len(images)))
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    step_y, step_x = cell[0] + lines * _line_height() + 2 * _GAP, cell[1] + _GAP
    rows = -(-len(images) // columns)
    sheet = np.full((rows * step_y + _GAP, columns * step_x + _GAP, 3), _PAPER, np.uint8)
    for i, image in enumerate(images):
        y, x = divmod(i, columns)
        _place(sheet, image, _GAP + y * step_y, _GAP + x * step_x, cell)
    return _write(sheet, captions, columns, (step_y, step_x), cell)


def _place(sheet: Image, image: Image, top: int, left: int, cell: tuple[int, int]) -> None:
    """Centre the picture in its cell; small pictures keep their pixels."""
    shrink = min(cell[0] / image.shape[0], cell[1] / image.shape[1], 1.0)
    fitted = fit_within(image, max(1, round(max(image.shape[:2]) * shrink)))[: cell[0], : cell[1]]
    y, x = top + (cell[0] - fitted.shape[0]) // 2, left + (cell[1] - fitted.shape[1]) // 2
    sheet[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted


def _write(sheet: Image, captions: Sequence[str], columns: int, step: tuple[int, int], cell: tuple[int, int]) -> Image:
    page = PillowImage.fromarray(sheet)
    draw = ImageDraw.Draw(page)
    for i, caption in enumerate(captions):
        y, x = divmod(i, columns)
        for n, line in enumerate(caption.split("\n")):
            top = _GAP + y * step[0] + cell[0] + 4 + n * _line_height()
            draw.text((_GAP + x * step[1], top), _shortened(draw, line, cell[1]), _INK, font=_font())
    return np.asarray(page)


def _shortened(draw: ImageDraw.ImageDraw, line: str, width: int) -> str:
    if draw.textlength(line, font=_font()) <= width:
        return line
    while line and draw.textlength(line + "…", font=_font()) > width:
        line = line[:-1]
    return line + "…"


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=14)


def _line_height() -> int:
    return 19
