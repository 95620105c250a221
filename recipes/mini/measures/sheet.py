"""Samples beside their nearest training picture, for looking."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from portraitist.errors import InputError
from portraitist.library import write_atomic
from portraitist.pages.sheets import contact_sheet
from portraitist.types import Image
from recipes.mini.measures.memory import Pair
from recipes.mini.measures.reading import Reading

MOST_BYTES = 200_000
_QUALITIES = (92, 88, 84, 80, 75, 70, 60, 50, 40, 30)
_EMPTY = 225


def neighbour_sheet(
    pictures: Sequence[Reading], pairs: Sequence[Pair], training: Sequence[Reading], *, columns: int = 5
) -> Image:
    """Every picture with its nearest training picture to its right, mirrored where that is nearer.

    Below: descriptor distance and SSIM, "copy" where both say so. A picture without a face has a grey field beside it.
    """
    nearest = {pair.picture: pair for pair in pairs}
    cells, captions = [], []
    for index, reading in enumerate(pictures):
        pair = nearest.get(index)
        other = np.full_like(reading.image, _EMPTY) if pair is None else _other(pair, training)
        cells.append(np.hstack([reading.image, other]))
        captions.append(_caption(pair))
    height, width = cells[0].shape[:2]
    return contact_sheet(cells, captions, columns=columns, cell=(height, width))


def _other(pair: Pair, training: Sequence[Reading]) -> Image:
    image = training[pair.training].image
    return np.ascontiguousarray(image[:, ::-1]) if pair.mirrored else image


def _caption(pair: Pair | None) -> str:
    if pair is None:
        return "no face found"
    return f"distance {pair.distance:.2f}, SSIM {pair.ssim:.2f}{', copy' if pair.is_copy else ''}"


def save_sheet(path: Path, sheet: Image, *, most_bytes: int = MOST_BYTES) -> Path:
    """Write a JPEG of at most that size, as good as fits. Raises InputError when even quality 30 is too large."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        PillowImage.fromarray(sheet).save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= most_bytes:
            return write_atomic(path, buffer.getvalue())
    raise InputError(
        f"{path}: expected a sheet of at most {most_bytes} bytes, found {buffer.tell()}; show fewer pictures"
    )
