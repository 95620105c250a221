"""Pictures from a generator: seeded latents, truncation, tensors to images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from portraitist.stylize.generator.networks import Generator
from portraitist.types import derive

MEAN_OF = 4096
"""Latents that the mean is taken of."""
AT_ONCE = 16


def device_of(generator: Generator) -> torch.device:
    """Where the weights are."""
    return generator.synthesis.constant.device


def draw_z(generator: Generator, count: int, seed: int) -> Tensor:
    """(count, latent): number i depends on the seed and i alone."""
    each = [torch.Generator().manual_seed(derive(seed, i)) for i in range(count)]
    drawn = [torch.randn(generator.size.latent, generator=one) for one in each]
    return torch.stack(drawn).to(device_of(generator))


@torch.no_grad()
def mean_latent(generator: Generator) -> Tensor:
    """(latent,): the mean w of many z, what truncation pulls towards."""
    z = torch.randn(MEAN_OF, generator.size.latent, generator=torch.Generator().manual_seed(0))
    mean: Tensor = generator.mapping(z.to(device_of(generator))).mean(dim=0)
    return mean


def truncated(w: Tensor, mean: Tensor, psi: float, *, latents: int | None = None) -> Tensor:
    """w (n, latents, latent) pulled towards the mean: psi 1 leaves it, 0 gives the mean (Karras et al. 2019, section
    3.1 and appendix B). latents: only the first so many, where the shape is decided."""
    pulled = mean.lerp(w, psi)
    if latents is None:
        return pulled
    return torch.cat([pulled[:, :latents], w[:, latents:]], dim=1)


@torch.no_grad()
def sample_latents(generator: Generator, count: int, *, seed: int = 0, psi: float = 0.7) -> Tensor:
    """(count, latents, latent), seeded and truncated."""
    w = generator.spread(generator.mapping(draw_z(generator, count, seed)))
    return truncated(w, mean_latent(generator), psi)


@torch.no_grad()
def pictures_of(generator: Generator, w: Tensor) -> NDArray[np.uint8]:
    """(n, side, side, 3) uint8 RGB of latents (n, latents, latent), a few at once."""
    parts = [generator.synthesis(part) for part in torch.split(w, AT_ONCE)]
    return to_images(torch.cat(parts))


def sample(generator: Generator, count: int, *, seed: int = 0, psi: float = 0.7) -> NDArray[np.uint8]:
    """(count, side, side, 3) uint8 RGB."""
    return pictures_of(generator, sample_latents(generator, count, seed=seed, psi=psi))


def to_images(pictures: Tensor) -> NDArray[np.uint8]:
    """(n, 3, h, w) in [-1, 1] to (n, h, w, 3) uint8."""
    scaled = ((pictures.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255)
    return scaled.permute(0, 2, 3, 1).contiguous().numpy().astype(np.uint8)


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
