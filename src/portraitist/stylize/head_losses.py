"""What a style should keep of a person's framed head before anything else: coarse colours, and eyes and mouth.

Nothing in two unpaired sets of pictures says that dark hair is to be drawn dark, or that eyes are to be drawn where
eyes are; left to themselves, generators and translators give everybody the style's most frequent hair and skin, and
draw a strand or a shadow where an eye was.
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
EYES, MOUTH = (0.5, 0.47, 0.24, 0.09), (0.5, 0.70, 0.15, 0.08)
"""Ellipses in FFHQ framing, middle and radii in parts of the side: brows and eyes, lips."""
MIDDLE_GREY, DARKEST = 0.5, 0.25
"""Brightness at which a difference of colour counts as it is; what is added to brightness, so that black counts."""
CELLS = 12
"""Colours are compared as means over so many cells along a side: hair, cheeks and brow, no line and no eye."""


def head_region(side: int) -> Tensor:
    """(1, 1, side, side): 1 where a framed head may be, 0 where the background is."""
    places = (torch.arange(side) + 0.5) / side
    across, down = ((places - m) / r for m, r in zip(HEAD_MIDDLE, HEAD_RADII, strict=True))
    far = (down[:, None].square() + across.square()).sqrt()
    return ((1 + FEATHER - far) / FEATHER).clamp(0, 1)[None, None]


def colour_loss(photo: Tensor, drawn: Tensor) -> Tensor:
    """Mean absolute difference of the head's coarse colours, over how light the photo is there (Weber's law).

    A step that hardly shows on light skin is a patch on dark skin. photo, drawn: (n, 3, h, h) in [0, 1].
    """
    colours = functional.adaptive_avg_pool2d(photo, CELLS)
    apart = colours - functional.adaptive_avg_pool2d(drawn, CELLS)
    brightness = colours.mean(dim=1, keepdim=True).clamp_min(0)
    head, counts = head_region(CELLS).to(apart), (MIDDLE_GREY + DARKEST) / (brightness + DARKEST)
    return (apart.abs() * head * counts).mean() / head.mean()


def eyes_loss(photo: Tensor, drawn: Tensor) -> Tensor:
    """1 - correlation of light and dark within eyes and mouth, at half the side.

    A dark lash, iris or lip is to be drawn dark where it is, in whatever colour and however much thicker. photo, drawn:
    (n, 3, h, h), in the same range.
    """
    one, other = (_light_and_dark(picture) for picture in (photo, drawn))
    where = _eyes_region(one.shape[-1]).to(one)
    together = (where * one * other).sum(dim=(1, 2, 3))
    each = [(where * plane.square()).sum(dim=(1, 2, 3)) for plane in (one, other)]
    return (1 - together / (each[0] * each[1] + 1e-6).sqrt()).mean()


def _light_and_dark(picture: Tensor) -> Tensor:
    """(n, 1, h / 2, h / 2): brightness beside the mean of what is around it."""
    grey = functional.avg_pool2d(picture.mean(dim=1, keepdim=True), 2)
    around = functional.avg_pool2d(functional.pad(grey, (4, 4, 4, 4), mode="reflect"), 9, 1)
    return grey - around


def _eyes_region(side: int) -> Tensor:
    """(1, 1, side, side): near 1 in brows, eyes and lips, 0 far from them."""
    places = (torch.arange(side) + 0.5) / side
    ellipses = [
        torch.exp(-((places[:, None] - y) / high).square() - ((places - x) / wide).square())
        for x, y, wide, high in (EYES, MOUTH)
    ]
    return torch.stack(ellipses).amax(dim=0)[None, None]
