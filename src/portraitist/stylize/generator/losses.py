"""The losses of both networks and their penalties, as plain functions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional


def generator_loss(made: Tensor) -> Tensor:
    """Non-saturating: -log sigmoid(D(made)) (Goodfellow et al. 2014, section 3). made: (n,) logits."""
    return functional.softplus(-made).mean()


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(made))). Both: (n,) logits."""
    return functional.softplus(-real).mean() + functional.softplus(made).mean()


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """R1: half the mean squared length of the discriminator's gradient at real pictures (Mescheder et al. 2018,
    equation 9, before gamma). pictures: what the logits were computed of, requiring a gradient."""
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2


def path_lengths(pictures: Tensor, latents: Tensor) -> Tensor:
    """(n,): length of the gradient at w of the picture times noise (Karras et al. 2020, equation 4).

    pictures: (n, 3, h, w) made of latents (n, latents, latent).
    """
    noise = torch.randn(pictures.shape).to(pictures) / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (gradient,) = torch.autograd.grad((pictures * noise).sum(), latents, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


@contextmanager
def held(module: nn.Module) -> Iterator[None]:
    """Inside, the module passes gradients on and takes none."""
    taking = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in taking:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in taking:
            parameter.requires_grad_(True)
