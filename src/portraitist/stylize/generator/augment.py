"""What the discriminator is shown is changed by chance, real and made alike, so that few pictures cannot be learned by
heart (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B).

Each change happens with probability p. Moves of the whole picture are put together into one matrix and sampled once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

SCALE = 0.2 * math.log(2)
"""Deviation of the logarithm of a scale; of contrast and saturation it is larger."""
CONTRAST, SATURATION, BRIGHTNESS, MOVE = 0.5 * math.log(2), math.log(2), 0.2, 0.125


def augmented(pictures: Tensor, p: float) -> Tensor:
    """(n, 3, side, side) in about [-1, 1], moved, turned, scaled and recoloured; as they are where p is 0."""
    if p <= 0:
        return pictures
    return recoloured(moved(pictures, placements(pictures, p)), colour_matrices(pictures, p))


def moved(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Sampled through (n, 3, 3) from places of the result to places of the picture, both in [-1, 1]; mirrored beyond
    the border."""
    grid = functional.affine_grid(matrices[:, :2], list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, "bilinear", "reflection", align_corners=False)


def recoloured(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Colours multiplied by (n, 4, 4), the last column added."""
    turned = torch.einsum("nij,njhw->nihw", matrices[:, :3, :3], pictures)
    return turned + matrices[:, :3, 3, None, None]


def placements(like: Tensor, p: float) -> Tensor:
    """(n, 3, 3): blits (mirrored, quarter turns, whole-pixel moves), then scales, turns and moves of any size."""
    n, side = len(like), like.shape[-1]
    matrix = _unit(like, 3)
    matrix = matrix @ _scaled(1 - 2 * _chance(like, p) * torch.randint(2, (n,)).to(like), like.new_ones(n))
    matrix = matrix @ _turned(_chance(like, p) * torch.randint(4, (n,)).to(like) * (math.pi / 2))
    whole = torch.round((torch.rand(2, n).to(like) * 2 - 1) * MOVE * side) * 2 / side
    matrix = matrix @ _shifted(*(_chance(like, p) * whole))
    size = torch.exp(_chance(like, p) * _normal(like) * SCALE)
    matrix = matrix @ _scaled(size, size)
    # Two turns, so that the picture may be stretched along any direction: together they happen with probability p.
    once = 1 - math.sqrt(1 - min(p, 1.0))
    matrix = matrix @ _turned(_chance(like, once) * _angle(like))
    stretch = torch.exp(_chance(like, p) * _normal(like) * SCALE)
    matrix = matrix @ _scaled(stretch, 1 / stretch)
    matrix = matrix @ _turned(_chance(like, once) * _angle(like))
    chance = _chance(like, p)
    return matrix @ _shifted(chance * _normal(like) * 2 * MOVE, chance * _normal(like) * 2 * MOVE)


def colour_matrices(like: Tensor, p: float) -> Tensor:
    """(n, 4, 4): brightness, contrast, luma turned over, hue turned, saturation."""
    n = len(like)
    grey = like.new_tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)
    along = torch.outer(grey, grey)
    unit = _unit(like, 4)
    brightness = unit.clone()
    brightness[:, :3, 3] = (_chance(like, p) * _normal(like) * BRIGHTNESS)[:, None]
    contrast = torch.exp(_chance(like, p) * _normal(like) * CONTRAST)
    scaled = torch.diag_embed(torch.stack([contrast, contrast, contrast, torch.ones_like(contrast)], dim=1))
    flipped = unit - 2 * along * (_chance(like, p) * torch.randint(2, (n,)).to(like))[:, None, None]
    hue = _about_grey(_chance(like, p) * _angle(like))
    saturation = torch.exp(_chance(like, p) * _normal(like) * SATURATION)[:, None, None]
    saturated = along + (unit - along) * saturation
    saturated[:, 3] = unit[:, 3]
    return saturated @ hue @ flipped @ scaled @ brightness


def _about_grey(angle: Tensor) -> Tensor:
    """(n, 4, 4) rotation of colours about the grey axis (Rodrigues' formula)."""
    part = 1 / math.sqrt(3)
    cross = angle.new_tensor([[0, -part, part], [part, 0, -part], [-part, part, 0]])
    sin, cos = torch.sin(angle)[:, None, None], torch.cos(angle)[:, None, None]
    matrix = _unit(angle, 4)
    matrix[:, :3, :3] = matrix[:, :3, :3] + sin * cross + (1 - cos) * (cross @ cross)
    return matrix


def _unit(like: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=like.dtype, device=like.device).repeat(len(like), 1, 1)


def _chance(like: Tensor, p: float) -> Tensor:
    return (torch.rand(len(like)) < p).to(like)


def _normal(like: Tensor) -> Tensor:
    return torch.randn(len(like)).to(like)


def _angle(like: Tensor) -> Tensor:
    return ((torch.rand(len(like)) * 2 - 1) * math.pi).to(like)


def _scaled(x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _turned(angle: Tensor) -> Tensor:
    matrix = _unit(angle, 3)
    sin, cos = torch.sin(angle), torch.cos(angle)
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cos, -sin, sin, cos
    return matrix


def _shifted(x: Tensor, y: Tensor) -> Tensor:
    matrix = _unit(x, 3)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix
