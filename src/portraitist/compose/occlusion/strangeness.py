"""How unlike bare skin each pixel is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.skin import SkinModel

DARK, BRIGHT, CHROMA = 10.0, 22.0, 7.0
"""Residuals (L*, L*, a*b*) that count as one unit of strangeness: shadows and highlights are milder than hair."""


def strangeness(skin: SkinModel) -> NDArray[np.float32]:
    """(h, w) distance from bare skin in units of the skin's own spread."""
    rest = skin.residual
    unit = np.where(rest[..., 0] < 0, max(DARK, 2 * skin.spread[0]), max(BRIGHT, 3 * skin.spread[0]))
    light = rest[..., 0] / unit
    colour = rest[..., 1:] / np.maximum(CHROMA, 2.5 * skin.spread[1:])
    return np.sqrt(light**2 + (colour**2).sum(-1)).astype(np.float32)
