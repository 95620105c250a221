"""What the network is shown: how each pixel differs from the skin around it, whatever the skin and the light are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image, Mask

INPUTS = 4
WINDOW = 65
"""Pixels across the box that the surrounding skin is averaged over: wider than marks, narrower than shading."""
_GAIN = 4.0
"""Brings the contrast of skin texture near 1, where initial weights expect their input."""
_LEAST_SKIN = 0.02
"""Weight of what is no skin in the average, so that there is one everywhere."""


def prepared(pixels: Image, skin: Mask) -> NDArray[np.float32]:
    """(4, h, w) from (h, w, 3) and (h, w): the contrast of red, green and blue in [-4, 4], then the mask in [0, 1].

    Contrast is (value - mean) / mean with the mean of the skin around (Weber's law): a mole on dark skin and the same
    on light skin, or in a shadow, look alike.
    """
    values = pixels.astype(np.float32) / 255
    weight = (skin.astype(np.float32) + _LEAST_SKIN)[..., None]
    mean = _box(values * weight) / _box(weight)[..., None]
    contrast = np.clip(_GAIN * (values - mean) / (mean + 0.05), -4, 4)
    return np.ascontiguousarray(np.concatenate([contrast, skin[..., None]], axis=2).transpose(2, 0, 1), np.float32)


def _box(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(values, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT_101), np.float32)


def padded(inputs: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """(4, h, w) with zeros to the right and below, up to sides that the network takes."""
    _, height, width = inputs.shape
    return np.pad(inputs, ((0, 0), (0, -height % multiple), (0, -width % multiple)))
