"""What the shared loop trains: both networks in one module, each with its own loss, in one step.

The generator's gradient goes through a discriminator that takes none, the discriminator's through pictures cut off from
the generator: the sum of the losses has for each network the gradient of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from portraitist.stylize.domain import Domain
from portraitist.stylize.generator.augment import augmented
from portraitist.stylize.generator.config import GanConfig, GeneratorSize
from portraitist.stylize.generator.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    held,
    path_lengths,
)
from portraitist.stylize.generator.networks import Discriminator, Generator
from portraitist.training.config import LoopConfig

AUGMENT_EVERY = 4
"""Steps between changes of the augmentation's probability."""
PATH_KEPT = 0.99
READING_KEPT = 0.98
"""Of the running means: about the last hundred, and the last fifty steps."""


class GanNetworks(nn.Module):
    """Both networks: what is trained, averaged and saved together."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        self.generator = Generator(size)
        self.discriminator = Discriminator(size)


class GanTrainee:
    """Both networks and their losses on a domain's pictures (training/loop.py's Trainee).

    carried: what is kept from step to step beside the weights: `augment` (probability of each augmentation), `sign`
    (mean sign of the discriminator on real pictures), `real` and `made` (mean logits), `path` (mean path length).
    """

    def __init__(self, domain: Domain, size: GeneratorSize, config: GanConfig, *, device: str = "cpu") -> None:
        torch.manual_seed(config.seed)
        self.module = GanNetworks(size).to(device)
        self.rates: Mapping[str, float] = {}
        self.size, self.config, self.device = size, config, device
        self.domain = domain.at(size.side)
        self.pictures = torch.from_numpy(self.domain.images).permute(0, 3, 1, 2).contiguous()
        self.carried = {name: torch.zeros([]) for name in ("augment", "sign", "real", "made", "path")}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        return {"size": asdict(self.size), "gan": asdict(self.config), "domain": self.domain.digest}

    def loss(self, step: int) -> Tensor:
        """Both losses of one batch, and the penalties that are due."""
        real, p = self.real(self.config.batch), float(self.carried["augment"])
        made = augmented(self.made(self.config.batch), p)
        with held(self.module.discriminator):
            total = generator_loss(self.module.discriminator(made))
        total = total + self._doubt(augmented(real, p), made.detach(), step)
        if self.config.path_weight and step % self.config.path_every == self.config.path_every // 2:
            total = total + self._path_penalty()
        return total

    def real(self, count: int) -> Tensor:
        """(count, 3, side, side) in [-1, 1], drawn with replacement, mirrored by chance."""
        chosen = self.pictures[torch.randint(len(self.pictures), (count,))]
        mirrored = torch.where((torch.rand(count) < 0.5)[:, None, None, None], chosen.flip(3), chosen)
        return mirrored.to(self.device).float() / 127.5 - 1

    def latents(self, count: int) -> Tensor:
        """(count, latents, latent): a part of them changes from one latent to another at a place by chance."""
        generator = self.module.generator
        w = generator.spread(generator.mapping(self._z(count)))
        if not self.config.mixing:
            return w
        other = generator.spread(generator.mapping(self._z(count)))
        places = torch.arange(self.size.latents)[None]
        cut = torch.randint(1, self.size.latents, (count, 1))
        cut = torch.where(torch.rand(count, 1) < self.config.mixing, cut, self.size.latents)
        return torch.where((places < cut).to(self.device)[:, :, None], w, other)

    def made(self, count: int) -> Tensor:
        """(count, 3, side, side): pictures of new latents with new noise."""
        pictures: Tensor = self.module.generator.synthesis(self.latents(count), fresh=True)
        return pictures

    def _z(self, count: int) -> Tensor:
        return torch.randn(count, self.size.latent).to(self.device)

    def _doubt(self, real: Tensor, made: Tensor, step: int) -> Tensor:
        """The discriminator's loss, with R1 every so many steps, weighted as if it were there in every one."""
        config, discriminator = self.config, self.module.discriminator
        penalised = config.gamma > 0 and step % config.penalty_every == 0
        real_logits = discriminator(real.requires_grad_(penalised))
        made_logits = discriminator(made)
        self._read(real_logits.detach(), made_logits.detach(), step)
        loss = discriminator_loss(real_logits, made_logits)
        if penalised:
            loss = loss + gradient_penalty(real_logits, real) * config.gamma * config.penalty_every
        return loss

    def _path_penalty(self) -> Tensor:
        """Steps of w should change pictures equally much wherever they are (Karras et al. 2020, section 3.2)."""
        latents = self.latents(max(1, self.config.batch // 2))
        if not latents.requires_grad:  # The mapping is frozen.
            latents.requires_grad_(True)
        lengths = path_lengths(self.module.generator.synthesis(latents, fresh=True), latents)
        now = lengths.detach().mean().cpu()
        before = self.carried["path"] if self.carried["path"] > 0 else now
        self.carried["path"].copy_(now.lerp(before, PATH_KEPT))
        return (
            (lengths - float(self.carried["path"])).square().mean() * self.config.path_weight * self.config.path_every
        )

    def _read(self, real: Tensor, made: Tensor, step: int) -> None:
        """Running means; now and then the augmentation's probability follows the sign (ADA, section 3.2)."""
        for name, value in (("sign", real.sign().mean()), ("real", real.mean()), ("made", made.mean())):
            self.carried[name].lerp_(value.cpu(), 1 - READING_KEPT)
        if step % AUGMENT_EVERY == AUGMENT_EVERY - 1:
            way = 1.0 if float(self.carried["sign"]) > self.config.overfit_target else -1.0
            change = way * self.config.batch * AUGMENT_EVERY / self.config.augment_pictures
            self.carried["augment"].add_(change).clamp_(0, self.config.augment_most)


def adam(groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
    """Adam without momentum, as both papers use it: with it the two networks swing."""
    return torch.optim.Adam(groups, lr=config.learning_rate, betas=(0.0, config.beta2), eps=1e-8, fused=True)
