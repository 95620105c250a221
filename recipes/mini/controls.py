"""The controls: a lean ControlNet each, taught to steer the frozen base by drawn lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from portraitist.diffusion.conditions import draw_canny, draw_mesh
from portraitist.diffusion.flow import add_noise, draw_sigmas, velocity_loss
from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.training.config import LoopConfig
from portraitist.types import Image
from recipes.mini.base import BaseTrainee
from recipes.mini.config import MiniConfig
from recipes.mini.networks import TextToLatents
from recipes.mini.samples import Sample

CONTROLS = ("mesh", "canny")
WORDLESS = 0.5
"""Share of samples whose caption is emptied, so that the lines and not the words must say where things are."""


def control_loop(config: MiniConfig) -> LoopConfig:
    """A short run with a high rate: the outputs begin at zero and the base stands still."""
    return replace(config.loop, learning_rate=1e-3, warm_up=min(200, config.loop.warm_up), decay_after=2000)


class ControlTrainee:
    """One control beside a frozen base, as the training loop wants it."""

    rates: Mapping[str, float] = MappingProxyType({})

    def __init__(self, name: str, base: BaseTrainee, start: str) -> None:
        config = base.config
        torch.manual_seed(config.loop.seed)
        self.name, self.base, self.start = name, base, start
        self.networks = base.module.requires_grad_(False).eval()
        self.module = build_control(config).to(base.device)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The base's, which control, and the digest of the weights it was taught on."""
        return {**asdict(self.base.config), "control": self.name, "base": self.start, "pack": self.base.pack.digest}

    def loss(self, step: int) -> Tensor:
        """Mean velocity loss of the steered base over a batch."""
        base, config = self.base, self.base.config
        samples = base.sampler.batch(step, config.batch)
        clean = base.encode([sample.image for sample in samples])
        sigmas = draw_sigmas(len(samples), mean=config.sigma_mean, spread=config.sigma_spread, device=base.device)
        noisy = add_noise(clean, torch.randn_like(clean), sigmas)
        wordless = torch.rand(len(samples)) < WORDLESS
        captions = ["" if drop else s.caption for drop, s in zip(wordless, samples, strict=True)]
        conditions = conditions_of(self.name, samples).to(base.device)
        predicted = steered(self.networks, self.module, noisy, sigmas, base.tokens(captions), conditions)
        return velocity_loss(predicted, clean, sigmas).mean()


def build_control(config: MiniConfig) -> LeanControlNet:
    """A control that fits the base of this configuration; about a twelfth of its size."""
    widths = tuple(width // 2 for width in config.unet.widths)
    groups = config.unet.norm_groups // 2
    fitted = tuple(-(-width // groups) * groups for width in (*widths[:-1], round(widths[-1] * 1.16)))
    return LeanControlNet(
        in_channels=config.latent_channels, base_channels=config.unet.widths, widths=fitted, norm_groups=groups
    )


def steered(
    networks: TextToLatents,
    control: LeanControlNet,
    noisy: Tensor,
    sigmas: Tensor,
    tokens: Tensor,
    conditions: Tensor,
) -> Tensor:
    """The base's prediction with the control's residuals added."""
    text = networks.text_encoder(tokens).last_hidden_state
    down, middle = control(noisy, sigmas * 1000, text, conditions, return_dict=False)
    predicted: Tensor = networks.unet(
        noisy,
        sigmas * 1000,
        text,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
    ).sample
    return predicted


def condition_of(name: str, sample: Sample) -> Image:
    """The picture that the control is given for a sample."""
    if name == "mesh":
        return draw_mesh(sample.landmarks, sample.image.shape[:2])
    return draw_canny(sample.image)


def conditions_of(name: str, samples: list[Sample]) -> Tensor:
    """(b, 3, h, w) in [0, 1]."""
    drawn = np.stack([condition_of(name, sample) for sample in samples])
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 255
