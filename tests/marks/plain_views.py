"""Views with plain skin of a colour, for the tests that draw marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portraitist.marks.view import SkinView, skin_view
from portraitist.types import Light
from tests.marks.meshes import head

LIGHT_SKIN, DARK_SKIN = (205, 165, 145), (75, 52, 42)


def plain(colour: tuple[int, int, int] = LIGHT_SKIN, side: int = 512, yaw: float = 0.0, noise: float = 0.0) -> SkinView:
    """Even skin with some noise, lit from above."""
    texture = np.random.default_rng(7).normal(0, noise, (800, 800, 1)) if noise else np.zeros((800, 800, 1))
    photo = np.clip(np.round(np.asarray(colour) + texture), 0, 255).astype(np.uint8)
    face = replace(head(yaw=yaw, scale=3.0), light=Light(50.0, (-2.0, -6.0), 6.3))
    return skin_view(photo, face, side)
