"""What a student is told, one loss a function; their weights stand in StudentConfig. Pictures are in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.stylize.edges import soften_edges
from portraitist.stylize.generator.losses import held
from portraitist.stylize.student.critic import PatchCritic
from portraitist.stylize.student.network import FOLD

Features = Callable[[Tensor], Sequence[Tensor]]
"""A frozen network: pictures in [0, 1] -> feature maps (n, c, h, w), fine to coarse."""


def pixel_loss(painted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference."""
    return functional.l1_loss(painted, target)


def gradient_loss(painted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the steps between neighbours, across and down together.

    What is even in the target is to be even: a lattice that the network's fold leaves costs little in pixels and much
    here, and so do soft borders. Source: Mathieu, Couprie and LeCun, ICLR 2016, the gradient difference loss, here with
    the sign of each step.
    """
    apart = painted - target
    return apart.diff(dim=2).abs().mean() + apart.diff(dim=3).abs().mean()


def lattice_loss(painted: Tensor) -> Tensor:
    """Mean step between neighbours at borders of FOLD x FOLD blocks over that inside: how far it is from 1.

    A border in the drawing lies anywhere; a network that is unsure of it likes to lay it where its blocks meet.
    """
    ratios = []
    for axis in (2, 3):
        steps = painted.diff(dim=axis).abs().mean(dim=(0, 1, 5 - axis))
        at_border = torch.arange(1, len(steps) + 1, device=steps.device) % FOLD == 0
        ratios.append(steps[at_border].mean() / steps[~at_border].mean().clamp_min(1e-6))
    return (torch.stack(ratios) - 1).abs().mean()


def perceptual_loss(features: Features, painted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of feature maps, each divided by its mean size in the target.

    Source: Johnson, Alahi and Fei-Fei, "Perceptual losses", ECCV 2016; the division makes maps of any depth comparable.
    """
    with torch.no_grad():
        wanted = features(target)
    terms = [
        functional.l1_loss(found, true) / true.abs().mean().clamp_min(1e-6)
        for found, true in zip(features(painted), wanted, strict=True)
    ]
    return torch.stack(terms).mean()


def persuasion_loss(critic: nn.Module, painted: Tensor) -> Tensor:
    """How far the critic is from taking the painting for a real one. It gives the critic itself no gradient.

    Source: Mao et al., "Least squares generative adversarial networks", ICCV 2017, equation 9.
    """
    with held(critic):
        verdicts: Tensor = critic(painted)
    return (verdicts - 1).square().mean()


def critic_loss(critic: PatchCritic, painted: Tensor, target: Tensor, edges: float) -> Tensor:
    """Real paintings are 1; what the student painted is 0, and so, `edges` times, are paintings with soft edges."""
    total: Tensor = (critic(target) - 1).square().mean() + critic(painted.detach().clamp(0, 1)).square().mean()
    if edges:
        total = total + edges * critic(soften_edges(target)).square().mean()
    return total


def mask_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of the mask's logits."""
    return functional.binary_cross_entropy_with_logits(logits, mask)
