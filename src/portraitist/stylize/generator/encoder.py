"""From a picture to latents in one look: where inversion begins.

It learns from the generator's own pictures, whose latents are known, and from photos, whose pixels are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.stylize.domain import Domain
from portraitist.stylize.generator.config import EncoderConfig, GeneratorSize
from portraitist.stylize.generator.generator_file import TrainedGenerator
from portraitist.stylize.generator.layers import Conv, Linear, leaky
from portraitist.stylize.generator.networks import Block
from portraitist.stylize.generator.sample import draw_z, mean_latent, to_tensor
from portraitist.stylize.generator.transfer import digest_of


class Encoder(nn.Module):
    """(n, 3, side, side) to (n, latents, latent): the mean latent and what the picture adds to it."""

    def __init__(self, size: GeneratorSize, mean: Tensor, spread: float) -> None:
        super().__init__()
        self.size, self.spread = size, spread
        self.mean = nn.Parameter(mean.clone(), requires_grad=False)
        self.from_rgb = Conv(3, size.channels(size.side), 1)
        down = zip(size.sides[:0:-1], size.sides[-2::-1], strict=True)
        self.blocks = nn.ModuleList(Block(size.channels(high), size.channels(low)) for high, low in down)
        self.shared = Linear(size.channels(4) * 16, size.latent)
        self.out = Linear(size.latent, size.latents * size.latent)

    def forward(self, pictures: Tensor) -> Tensor:
        x = leaky(self.from_rgb(pictures.contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            x = block(x)
        added = self.out(leaky(self.shared(x.flatten(1)))).view(len(x), self.size.latents, self.size.latent)
        latents: Tensor = self.mean + added * self.spread
        return latents


def new_encoder(trained: TrainedGenerator) -> Encoder:
    """An encoder for this generator with its first weights."""
    generator = trained.generator
    with torch.no_grad():
        w = generator.mapping(draw_z(generator, 256, 0))
    return Encoder(trained.size, mean_latent(generator), float(w.std(dim=0).mean()))


class EncoderTrainee:
    """An encoder and its losses (training/loop.py's Trainee). photos: a domain in the generator's framing."""

    def __init__(self, trained: TrainedGenerator, photos: Domain, config: EncoderConfig) -> None:
        torch.manual_seed(config.seed)
        self.module = new_encoder(trained)
        self.generator = trained.generator.requires_grad_(False).eval()
        self.rates: Mapping[str, float] = {}
        self.config, self.domain = config, photos.at(trained.size.side)
        self._digest = digest_of(self.generator)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        return {"encoder": asdict(self.config), "generator": self._digest, "photos": self.domain.digest}

    def loss(self, step: int) -> Tensor:
        """Half of the batch made pictures, half photos."""
        count = self.config.batch // 2
        with torch.no_grad():
            w = self.generator.spread(self.generator.mapping(torch.randn(count, self.generator.size.latent)))
            made = self.generator.synthesis(w)
        photos = to_tensor(self.domain.images[torch.randint(len(self.domain), (count,)).numpy()])
        found = self.module(torch.cat([made, photos]))
        again = self.generator.synthesis(found)
        pixels = functional.l1_loss(again, torch.cat([made, photos]))
        known = functional.mse_loss(found[:count], w) / self.module.spread**2
        # Photos have no known latents: they stay about as far from the mean as latents are.
        far = (found[count:] - self.module.mean).square().mean(dim=(1, 2)) / self.module.spread**2
        pull = functional.relu(far - 1).mean()
        return pixels + self.config.latent_weight * known + self.config.pull_weight * pull


@torch.no_grad()
def psnr(one: Tensor, other: Tensor) -> Tensor:
    """(n,) dB between pictures in [-1, 1]."""
    error = (one.clamp(-1, 1) - other).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(4 / error.clamp_min(1e-12))
