"""A style from a trained generator: the same networks learn on with the style's pictures, held back where asked.

What is kept of the source makes the blend possible: the less the coarse levels move, the more a style's picture is of
the same person as the source's. Chains are transfers of transfers.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.errors import InputError
from portraitist.stylize.domain import Domain
from portraitist.stylize.generator.config import GanConfig, TransferConfig
from portraitist.stylize.generator.generator_file import TrainedGenerator
from portraitist.stylize.generator.networks import Discriminator, Generator
from portraitist.stylize.generator.training import GanTrainee
from portraitist.stylize.head_losses import colour_loss


class TransferTrainee(GanTrainee):
    """Both networks as the source left them, at the rates of `transfer`; rate 0 freezes."""

    def __init__(
        self,
        domain: Domain,
        source: TrainedGenerator,
        config: GanConfig,
        transfer: TransferConfig,
        *,
        device: str = "cpu",
    ) -> None:
        super().__init__(domain, source.size, config, device=device)
        if source.discriminator is None:
            raise InputError("transfer: expected a source with its discriminator, found a generator alone (a blend?)")
        self.module.generator.load_state_dict(source.generator.state_dict())
        self.module.discriminator.load_state_dict(source.discriminator.state_dict())
        self.transfer = transfer
        self.source = copy.deepcopy(self.module.generator).requires_grad_(False).eval()
        rates = layer_rates(self.module.generator, self.module.discriminator, transfer)
        freeze(self.module, rates)
        self.rates = {name: rate for name, rate in rates.items() if rate > 0}
        self._source_digest = digest_of(self.source)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        return {**super().settings, "transfer": asdict(self.transfer), "source": self._source_digest}

    def loss(self, step: int) -> Tensor:
        """As a plain generator's, and how far coarse features and colours have left the source's."""
        total = super().loss(step)
        w = self.latents(max(2, self.config.batch // 2)).detach()
        if self.transfer.match_weight:
            total = total + self.transfer.match_weight * self.mismatch(w)
        if self.transfer.colour_weight:
            total = total + self.transfer.colour_weight * self.recoloured(w)
        return total

    def recoloured(self, w: Tensor) -> Tensor:
        """How far the head's coarse colours are from the source's for the same latents."""
        with torch.no_grad():
            before = self.source.synthesis(w)
        return colour_loss((before + 1) / 2, (self.module.generator.synthesis(w) + 1) / 2)

    def mismatch(self, w: Tensor) -> Tensor:
        """Mean squared distance of features to the source's for the same latents, levels up to `match_side`."""
        now = self.module.generator.synthesis.features(w, self.transfer.match_side)
        with torch.no_grad():
            before = self.source.synthesis.features(w, self.transfer.match_side)
        distances = [functional.mse_loss(a, b) / (b.var() + 1e-6) for a, b in zip(now, before, strict=True)]
        return torch.stack(distances).mean()


def layer_rates(generator: Generator, discriminator: Discriminator, transfer: TransferConfig) -> dict[str, float]:
    """Factor of the learning rate by the beginning of a parameter's name.

    The generator: the mapping, levels up to `coarse_side`, finer ones. The discriminator: its first `frozen_blocks`
    blocks stand still (Mo et al. 2020, "Freeze the Discriminator").
    """
    rates = {"generator.mapping.": transfer.mapping_rate, "generator.synthesis.constant": transfer.coarse_rate}
    for number, side in enumerate(generator.size.sides):
        rate = transfer.coarse_rate if side <= transfer.coarse_side else transfer.fine_rate
        rates[f"generator.synthesis.levels.{number}."] = rate
    if transfer.frozen_blocks:
        rates["discriminator.from_rgb."] = 0.0
    for number in range(min(transfer.frozen_blocks, len(discriminator.blocks))):
        rates[f"discriminator.blocks.{number}."] = 0.0
    return rates


def freeze(module: nn.Module, rates: Mapping[str, float]) -> None:
    """Parameters of rate 0 take no gradient any more."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(not any(rate == 0 and name.startswith(start) for start, rate in rates.items()))


def digest_of(module: nn.Module) -> str:
    """Hex sha256 of all weights, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
