"""Pictures from the networks in training, by the same scheduler and guidance as the exported pipeline's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from portraitist.diffusion.flow import flow_scheduler
from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.types import Image, derive
from recipes.mini.base import BaseTrainee
from recipes.mini.networks import TextToLatents

NUM_STEPS = 20
GUIDANCE_SCALE = 1.4
"""Between 1.25, where the mesh looked real in 88 % of 60 training-split captions and 80 % of those asked for long hair
had it, and 1.5, with 82 and 90 %."""


@dataclass(frozen=True)
class Draw:
    """What to draw: one picture a caption. first: number of the first picture under the seed. conditions: (b, 3, h, w)
    in [0, 1] for a control."""

    captions: Sequence[str]
    seed: int = 0
    first: int = 0
    num_steps: int = NUM_STEPS
    guidance_scale: float = GUIDANCE_SCALE
    conditions: Tensor | None = None


def draw(
    trainee: BaseTrainee, networks: TextToLatents, asked: Draw, control: LeanControlNet | None = None
) -> list[Image]:
    """One picture a caption; picture i depends on the seed and i, not on how many are drawn."""
    shape = networks.unet.config.in_channels, *(2 * (networks.unet.config.sample_size,))
    noise = [torch.randn(shape, generator=_generator(asked.seed, asked.first + i)) for i in range(len(asked.captions))]
    latents = torch.stack(noise).to(trainee.device)
    tokens = trainee.tokens([*asked.captions, *([""] * len(asked.captions))])
    with torch.no_grad():
        text = networks.text_encoder(tokens).last_hidden_state
        latents = _sample(networks, latents, text, asked, control)
        return to_images(trainee.autoencoder, latents)


def _generator(seed: int, index: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive(seed, index))


def _sample(
    networks: TextToLatents, latents: Tensor, text: Tensor, asked: Draw, control: LeanControlNet | None
) -> Tensor:
    scheduler = flow_scheduler()
    scheduler.set_timesteps(asked.num_steps)
    for timestep in scheduler.timesteps:
        both = torch.cat([latents, latents])
        told, untold = networks.unet(both, timestep, text, **_steering(control, both, timestep, asked)).sample.chunk(2)
        denoised = untold + asked.guidance_scale * (told - untold)
        latents = scheduler.step(denoised, timestep, latents).prev_sample
    return latents


def _steering(control: LeanControlNet | None, both: Tensor, timestep: Tensor, asked: Draw) -> dict[str, Any]:
    """The control's residuals as the U-Net takes them; nothing without a control."""
    if control is None or asked.conditions is None:
        return {}
    drawn = torch.cat([asked.conditions, asked.conditions]).to(both)
    down, middle = control(both, timestep, None, drawn, return_dict=False)
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def to_images(autoencoder: PatchAutoencoder, latents: Tensor) -> list[Image]:
    """uint8 RGB pictures."""
    pixels = autoencoder.decode(latents).sample.clamp(-1, 1)
    return list(((pixels + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())


def grid(images: Sequence[Image], columns: int) -> Image:
    """Rows of pictures; missing ones at the end are black."""
    blank = np.zeros_like(images[0])
    padded = [*images, *([blank] * (-len(images) % columns))]
    return np.vstack([np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)])
