"""What the shared loop trains: both translators and all critics in one module, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.errors import ConfigError
from portraitist.stylize.domain import Domain
from portraitist.stylize.edges import soften_edges
from portraitist.stylize.generator.losses import held
from portraitist.stylize.student.losses import Features
from portraitist.stylize.translate.config import TranslateConfig, TranslatorSize
from portraitist.stylize.translate.losses import (
    attention_loss,
    likeness_loss,
    mask_loss,
    persuade,
    region_loss,
    tell_apart,
)
from portraitist.stylize.translate.networks import Side, Translated, Translator, TranslatorNetworks
from portraitist.training.config import LoopConfig
from portraitist.types import derive


class TranslateTrainee:
    """Translators between two domains (training/loop.py's Trainee).

    features: a frozen network's feature maps, needed when `config.likeness` is not 0; the recogniser that likeness is
    measured by has no gradient, so what it is told by is another network, and the measure stays independent of it.
    Raises ConfigError without them, InputError for a domain of too small a side.
    """

    rates: Mapping[str, float] = {}

    def __init__(
        self,
        photos: Domain,
        drawings: Domain,
        size: TranslatorSize,
        config: TranslateConfig,
        features: Features | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        if config.likeness and features is None:
            raise ConfigError("translator: likeness expects a network's features, found none; set it to 0")
        self.photos, self.drawings = photos.at(size.side), drawings.at(size.side)
        self.size, self.config, self.device, self._features = size, config, device, features
        with torch.random.fork_rng():
            torch.manual_seed(derive(config.seed, 0))
            self.networks = TranslatorNetworks(size, config).to(device)
        self.module: nn.Module = self.networks

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        domains = {"photos": self.photos.digest, "drawings": self.drawings.digest}
        return {"size": asdict(self.size), "translate": asdict(self.config), **domains}

    def loss(self, step: int) -> Tensor:
        """Of one batch of each domain, drawn from the seed and the step."""
        rng = np.random.default_rng([self.config.seed, step])
        photo, drawing = (self._drawn(domain, rng) for domain in (self.photos, self.drawings))
        networks = self.networks
        painted, total = self._there_and_back(photo, drawing, networks.to_style, networks.to_photo, networks.of_style)
        unpainted, other = self._there_and_back(drawing, photo, networks.to_photo, networks.to_style, networks.of_photo)
        total = total + other + self._kept(photo, painted)
        total = total + tell_apart(networks.of_photo(photo), networks.of_photo(unpainted.picture.detach()))
        total = total + tell_apart(networks.of_style(drawing), networks.of_style(painted.picture.detach()))
        if self.config.edges:
            total = total + self.config.edges * _softened(networks.of_style, drawing)
        return total

    def _drawn(self, domain: Domain, rng: np.random.Generator) -> Tensor:
        """(batch, 3, side, side) in [0, 1]."""
        pictures = torch.from_numpy(np.ascontiguousarray(domain.draw(self.config.batch, rng)))
        return pictures.to(self.device).permute(0, 3, 1, 2).float() / 255

    def _there_and_back(
        self, source: Tensor, target: Tensor, there: Translator, back: Translator, critics: Side
    ) -> tuple[Translated, Tensor]:
        """The translation of `source`, and what its translator is told (equations 3 to 6)."""
        config, made, same = self.config, there(source), there(target)
        with held(critics):
            total = persuade(critics(made.picture))
        total = total + config.cycle * functional.l1_loss(back(made.picture).picture, source)
        total = total + config.itself * functional.l1_loss(same.picture, target)
        return made, total + config.attention * attention_loss(made.logits, same.logits)

    def _kept(self, photo: Tensor, painted: Translated) -> Tensor:
        """What stays of the photo: its background, and whose face it is."""
        config, total = self.config, photo.new_zeros(())
        if config.keeper == "region" and config.background:
            total = total + config.background * region_loss(photo, painted)
        if config.keeper == "mask":
            total = total + config.background * mask_loss(painted)
        if config.likeness and self._features is not None:
            total = total + config.likeness * likeness_loss(self._features, photo, painted.picture)
        return total


def adam(groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
    """Adam as in the paper's section 5.1: little momentum, a small decay."""
    betas = (0.5, 0.999)
    return torch.optim.Adam(groups, lr=config.learning_rate, betas=betas, weight_decay=config.weight_decay, fused=True)


def _softened(critics: Side, drawing: Tensor) -> Tensor:
    """Drawings with soft edges are no drawings."""
    return torch.stack([answer.square().mean() for answer in critics(soften_edges(drawing))]).sum()
