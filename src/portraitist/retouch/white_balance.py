"""Removing a colour cast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image

_POWER = 6
_MOST = 1.35
"""A channel is never scaled beyond this: a red wall is not a red lamp."""


def white_balance(image: Image, *, strength: float = 1.0) -> Image:
    """Scale the channels so that the light looks white; luminance of grey stays. strength 0 changes nothing.

    Source: Finlayson & Trezzi, "Shades of Gray and Colour Constancy", CIC 2004 (Minkowski norm 6); clipped pixels
    are left out, gains are taken in linear light and bounded to 1.35.
    """
    if strength == 0:
        return image
    gains = 1 + strength * (_gains(image) - 1)
    table = np.arange(256, dtype=np.float64) / 255
    curves = _encode(np.clip(_decode(table)[:, None] * gains, 0, 1))
    levels = np.round(curves * 255).astype(np.uint8)
    return np.stack([levels[image[..., c], c] for c in range(3)], axis=-1)


def _gains(image: Image) -> NDArray[np.float64]:
    """(3,) gains in linear light that make the Minkowski mean grey."""
    sample = image[:: max(1, image.shape[0] // 256), :: max(1, image.shape[1] // 256)].reshape(-1, 3)
    usable = sample[(sample.max(axis=1) < 250) & (sample.min(axis=1) > 4)]
    if len(usable) < 32:
        return np.ones(3)
    light = (_decode(usable / 255.0) ** _POWER).mean(axis=0) ** (1 / _POWER)
    gains = np.clip(light.mean() / light, 1 / _MOST, _MOST)
    return np.asarray(gains / (gains @ [0.2126, 0.7152, 0.0722]))


def _decode(srgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """sRGB to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _encode(linear: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-12) ** (1 / 2.4) - 0.055)
