"""How unlike bare skin each pixel is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.skin import SkinModel

OBLIQUE = 0.5
"""How much wider the allowance is where the surface is seen edge-on."""
SPECULAR, SHINE = 0.35, 0.55
"""Share of white in a pixel that counts as one unit, and the most that a highlight can explain."""
DARK, BRIGHT, CHROMA = 10.0, 22.0, 7.0
"""Residuals (L*, L*, a*b*) that count as one unit of strangeness: shadows and highlights are milder than hair."""


def strangeness(skin: SkinModel) -> NDArray[np.float32]:
    """(h, w) distance from bare skin in units of the skin's own spread.

    A highlight moves skin's colour towards white: that part of the residual is taken out first and counted mildly.
    Source: the dichromatic reflection model (Shafer, "Using color to separate reflection components", 1985).
    """
    shine, rest = _without_highlight(skin)
    unit = np.where(rest[..., 0] < 0, max(DARK, 2 * float(skin.spread[0])), max(BRIGHT, 3 * float(skin.spread[0])))
    light = rest[..., 0] / unit
    colour = rest[..., 1:] / np.maximum(CHROMA, 2.5 * skin.spread[1:])
    doubt = 1 + OBLIQUE * (1 - skin.frontal)
    distance = np.sqrt(light**2 + (colour**2).sum(-1) + (shine / SPECULAR) ** 2)
    return np.asarray(distance / doubt, np.float32)


def _without_highlight(skin: SkinModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of white (h, w) in each pixel, and the residual (h, w, 3) without it."""
    rest = skin.residual
    to_white = np.array([100, 0, 0], np.float32) - skin.expected
    along = (rest * to_white).sum(-1) / np.maximum((to_white**2).sum(-1), 1)
    shine = np.clip(along, 0, SHINE * skin.frontal)
    return shine, rest - shine[..., None] * to_white
