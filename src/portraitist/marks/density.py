"""Optical density: what a mark takes away of the light, channel by channel.

density = -ln(linear light). A mark that is d denser than its skin is d denser on any skin and in any light, so
carrying a mark over is adding a density, and a mole of a fair face stays a mole on a dark one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from portraitist.retouch.colour import from_lab, to_lab
from portraitist.types import Image

Density = NDArray[np.float32]
"""(..., 3) red, green, blue; 0 is white."""
LEAST_LIGHT = 1 / 512
"""Linear light below which density is not told any more: under one grey level of 8 bits."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Shares of linear red, green and blue in luminance. Source: ITU-R BT.709."""


def density_of(image: Image) -> Density:
    """(h, w, 3) densities of a picture."""
    return np.asarray(_table()[image], np.float32)


def encoded(density: Density) -> NDArray[np.float32]:
    """Densities as sRGB values, 0 to 255, not rounded. Source of the curve: IEC 61966-2-1."""
    linear = np.exp(-np.asarray(density, np.float32))
    low = 12.92 * linear
    high = 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055
    return np.asarray(255 * np.clip(np.where(linear <= 0.0031308, low, high), 0, 1), np.float32)


def density_of_lab(lab: NDArray[np.floating]) -> Density:
    """(..., 3) densities of CIE L*, a*, b* colours; those outside sRGB are cut off."""
    flat = np.asarray(lab, np.float32).reshape(1, -1, 3)
    return _density(from_lab(flat)).reshape(np.shape(lab)).astype(np.float32)


def lab_of(density: Density) -> NDArray[np.float32]:
    """(..., 3) CIE L*, a*, b* of densities."""
    flat = (encoded(density) / 255).reshape(1, -1, 3).astype(np.float32)
    return to_lab(flat).reshape(np.shape(density))


def highlight_gain(own: float, skin: float) -> float:
    """At most 1: what is left of a density on skin of L* `skin` that was measured on skin of L* `own`.

    A camera's curve flattens towards white, so in brighter light a mark keeps less than its density. Half way (the
    geometric mean) between keeping the density and keeping the difference in L*: a choice. Darker skin keeps it all.
    """
    return float(min(1.0, np.sqrt((max(own, 0.0) + 16) / (max(skin, 0.0) + 16))))


def size_of(density: Density) -> NDArray[np.float32]:
    """(h, w) the largest of the three channels, without sign. (`max` over an axis of three is ten times as slow.)"""
    red, green, blue = np.abs(np.moveaxis(density, -1, 0))
    return np.asarray(np.maximum(np.maximum(red, green), blue), np.float32)


@cache
def _table() -> NDArray[np.float32]:
    return _density(np.arange(256, dtype=np.float32) / 255)


def _density(value: NDArray[np.floating]) -> NDArray[np.float32]:
    """Of sRGB values in [0, 1]."""
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(-np.log(np.maximum(linear, LEAST_LIGHT)), np.float32)
