"""The base: text encoder and denoiser trained together on the pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from portraitist.diffusion.flow import add_noise, draw_sigmas, velocity_loss
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from portraitist.errors import InputError
from portraitist.library import write_atomic
from portraitist.types import Image
from recipes.mini.config import MiniConfig
from recipes.mini.networks import TextToLatents
from recipes.mini.pack import Pack
from recipes.mini.samples import AheadSampler, Sampler

NOT_LEARNED = ("loop",)
"""Parts of MiniConfig that the training loop records by itself."""


class BaseTrainee:
    """portrait-mini's text encoder and U-Net, as the training loop wants them."""

    rates: Mapping[str, float] = MappingProxyType({})

    def __init__(self, config: MiniConfig, pack: Pack, autoencoder: PatchAutoencoder, device: str = "cpu") -> None:
        torch.manual_seed(config.loop.seed)
        self.config, self.pack = config, pack
        self.tokenizer = build_tokenizer(config.text.max_tokens)
        self.autoencoder = autoencoder.to(device).requires_grad_(False)
        self.module = TextToLatents(config, self.tokenizer).to(device)
        self.device = torch.device(device)
        self.sampler: Sampler | AheadSampler = Sampler(pack, config.data, config.image_side, config.loop.seed)
        self.predict: nn.Module | Callable[..., Tensor] = self.module
        if self.device.type == "cuda":
            # One core draws too slowly for a GPU, and small layers spend more time being launched than working.
            self.sampler = AheadSampler(self.sampler, config.batch)
            self.predict = torch.compile(self.module)

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
        tokens = self.tokens([sample.caption for sample in samples])
        # On CPUs without matrix units for it bfloat16 is slower than float32.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            predicted = self.predict(noisy, sigmas, tokens)
        return velocity_loss(predicted.float(), clean, sigmas).mean()

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


def load_average(module: nn.Module, path: Path) -> None:
    """Put averaged weights into the module: from a checkpoint, a file of `save_average`, or an exported folder, of the
    base or of one control."""
    tensors = _exported(path) if path.is_dir() else load_file(path)
    prefix = "average." if any(name.startswith("average.") for name in tensors) else ""
    found = {name.removeprefix(prefix): t.float() for name, t in tensors.items() if name.startswith(prefix)}
    missing = [name for name, _ in module.named_parameters() if name not in found]
    if missing:
        raise InputError(f"{path}: lacks {len(missing)} of the weights, {missing[0]} among them; is it of this model?")
    module.load_state_dict(found, strict=False)


def _exported(folder: Path) -> dict[str, Tensor]:
    """The weights of an exported base or control under the names they have in training."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    if not (folder / "unet").is_dir():
        return load_file(folder / "diffusion_pytorch_model.safetensors")
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    parts = (("unet", unet), ("text_encoder", text))
    return {f"{name}.{key}": value for name, part in parts for key, value in part.state_dict().items()}


def save_average(module: nn.Module, path: Path) -> Path:
    """The module's parameters in half precision: what travels between machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_atomic(
        path, save({name: p.detach().half().contiguous().cpu() for name, p in module.named_parameters()})
    )
