"""The base: text encoder and denoiser trained together on the pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from portraitist.diffusion.flow import add_noise, draw_sigmas, velocity_loss
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from portraitist.types import Image
from recipes.mini.config import MiniConfig
from recipes.mini.networks import TextToLatents
from recipes.mini.pack import Pack
from recipes.mini.samples import Sample, Sampler

NOT_LEARNED = ("loop",)
"""Parts of MiniConfig that the training loop records by itself."""


class BaseTrainee:
    """portrait-mini's text encoder and U-Net, as the training loop wants them."""

    def __init__(self, config: MiniConfig, pack: Pack, autoencoder: PatchAutoencoder, device: str = "cpu") -> None:
        torch.manual_seed(config.loop.seed)
        self.config, self.pack = config, pack
        self.tokenizer = build_tokenizer(config.text.max_tokens)
        self.autoencoder = autoencoder.to(device).requires_grad_(False)
        self.module = TextToLatents(config, self.tokenizer).to(device)
        self.sampler = Sampler(pack, config.data, config.image_side, config.loop.seed)
        self.device = torch.device(device)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything but the loop's own: sizes, data, and the digest of the pack."""
        return {k: v for k, v in asdict(self.config).items() if k not in NOT_LEARNED} | {"pack": self.pack.digest}

    def loss(self, step: int) -> Tensor:
        """Mean velocity loss over a batch."""
        samples = self.sampler.batch(step, self.config.batch)
        clean = self.encode([sample.image for sample in samples])
        sigmas = draw_sigmas(
            len(samples), mean=self.config.sigma_mean, spread=self.config.sigma_spread, device=self.device
        )
        noisy = add_noise(clean, torch.randn_like(clean), sigmas)
        predicted = self.module(noisy, sigmas, self.tokens([sample.caption for sample in samples]))
        return velocity_loss(predicted, clean, sigmas).mean()

    def encode(self, images: Sequence[Image]) -> Tensor:
        """Latents (b, c, h / 8, w / 8) of uint8 RGB images."""
        pixels = torch.from_numpy(np.stack(images)).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        latents: Tensor = self.autoencoder.encode(pixels).latent_dist.mode()
        return latents

    def tokens(self, captions: Sequence[str]) -> Tensor:
        """(b, max_tokens) padded token numbers."""
        coded = self.tokenizer(
            list(captions), padding="max_length", truncation=True, max_length=self.config.text.max_tokens
        )
        return torch.tensor(coded.input_ids, device=self.device)


def mirror_samples(samples: Sequence[Sample]) -> list[Image]:
    """The pictures of a batch, for sheets."""
    return [sample.image for sample in samples]


def load_average(module: torch.nn.Module, checkpoint: Path) -> None:
    """Put a checkpoint's averaged weights into the module: the start of another run, or what is exported."""
    from safetensors.torch import load_file

    tensors = load_file(checkpoint)
    found = {name.removeprefix("average."): t for name, t in tensors.items() if name.startswith("average.")}
    module.load_state_dict(found, strict=False)
