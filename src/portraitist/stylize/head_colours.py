"""Coarse colours of a framed head: what a style should keep of a person before anything else.

Nothing in two unpaired sets of pictures says that dark hair is to be drawn dark; left to themselves, generators and
translators give everybody the style's most frequent hair and skin.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

HEAD_MIDDLE, HEAD_RADII = (0.5, 0.5), (0.40, 0.52)
"""Of the ellipse that holds head and hair in FFHQ framing, x and y in parts of the side: chin and ears lie well inside
the places `faces.align` lays them at, hair is given the room above."""
FEATHER = 0.12
"""Of the ellipse's radius, over which it fades."""
CELLS = 12
"""Colours are compared as means over so many cells along a side: hair, cheeks and brow, no line and no eye."""


def head_region(side: int) -> Tensor:
    """(1, 1, side, side): 1 where a framed head may be, 0 where the background is."""
    places = (torch.arange(side) + 0.5) / side
    across, down = ((places - m) / r for m, r in zip(HEAD_MIDDLE, HEAD_RADII, strict=True))
    far = (down[:, None].square() + across.square()).sqrt()
    return ((1 + FEATHER - far) / FEATHER).clamp(0, 1)[None, None]


def colour_loss(photo: Tensor, drawn: Tensor) -> Tensor:
    """Mean absolute difference of the head's coarse colours. photo, drawn: (n, 3, h, h), in the same range."""
    apart = functional.adaptive_avg_pool2d(photo, CELLS) - functional.adaptive_avg_pool2d(drawn, CELLS)
    head = head_region(CELLS).to(apart)
    return (apart.abs() * head).mean() / head.mean()
