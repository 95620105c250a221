"""Dark and light faces learned from alike: how often each photo is drawn, by how light its face is.

Sets of faces hold few dark ones, and a network that saw few paints them worst.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image

FACE = (slice(0.43, 0.74), slice(0.38, 0.62))
"""Rows and columns between brows and chin in FFHQ framing, in parts of the side."""
BANDS = 6
"""Of equal width, between the darkest and the lightest face."""
MOST = 6.0
"""How much oftener than the usual photo a rare one may be drawn: a band of two photos is not learned by heart."""


def face_lightness(photo: Image) -> float:
    """L* of CIE Lab, 0 to 100: the median over the middle of a framed face."""
    return lightness(middle_of(photo))


def middle_of(photo: Image) -> Image:
    """The pixels of `FACE`, of a large photo every second or third."""
    rows, columns = (
        slice(int(part.start * side), int(part.stop * side), max(1, side // 160))
        for part, side in zip(FACE, photo.shape, strict=False)
    )
    return np.ascontiguousarray(photo[rows, columns])


def lightness(pixels: Image) -> float:
    """Median L*, 0 to 100."""
    return float(np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0]) * 100 / 255)


def tone_chances(photos: Iterable[Image]) -> NDArray[np.float64]:
    """(n,), summing to 1: with these chances every band of lightness is drawn equally often, but for `MOST`."""
    lightness = np.array([face_lightness(photo) for photo in photos])
    borders = np.linspace(lightness.min(), lightness.max(), BANDS + 1)[1:-1]
    bands = np.digitize(lightness, borders)
    rarity = 1 / np.bincount(bands, minlength=BANDS)[bands]
    capped = np.minimum(rarity, MOST * np.median(rarity))
    return np.asarray(capped / capped.sum(), np.float64)
