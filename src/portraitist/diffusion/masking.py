"""Masked painting on any Stable Diffusion pipeline: after each step the latents outside the mask are put back.

diffusers' own inpainting pipelines want 4 or 9 latent channels; with others one refuses and the ControlNet one ignores
the mask. The callback that every pipeline calls after a step does it for all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from portraitist.types import Image, Mask


class KeepOutside:
    """A `callback_on_step_end` that holds latents outside the mask to those of the original picture.

    original, noise: latents (1, c, h, w). mask: (1, 1, h, w) in [0, 1], 1 where the pipeline may paint.
    """

    def __init__(self, original: Tensor, noise: Tensor, mask: Tensor) -> None:
        self.original, self.noise, self.mask = original, noise, mask

    def __call__(self, pipeline: Any, step: int, timestep: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        latents = kwargs["latents"]
        kept = self._original_at(pipeline.scheduler, timestep)
        kwargs["latents"] = self.mask * latents + (1 - self.mask) * kept.to(latents.dtype)
        return kwargs

    def _original_at(self, scheduler: Any, timestep: Any) -> Tensor:
        """The original with the noise that the latents will have at the step after `timestep`."""
        timesteps = scheduler.timesteps
        after = int((timesteps == timestep).nonzero()[-1]) + 1
        if after >= len(timesteps):
            return self.original
        noisy: Tensor = scheduler.add_noise(self.original, self.noise, timesteps[after : after + 1])
        return noisy


def latent_mask(mask: Mask, side: int) -> Tensor:
    """(1, 1, h / side, w / side): 1 for every latent position that the mask (h, w) touches.

    The pipelines shrink masks by their top-left pixel of each patch and lose thin parts; the maximum loses none.
    """
    return functional.max_pool2d(torch.from_numpy(np.ascontiguousarray(mask, np.float32))[None, None], side)


def paint_inside(pipeline: Any, prompt: str, image: Image, mask: Mask, *, seed: int = 0, **options: Any) -> Image:
    """Paint where the mask is 1 and keep every pixel where it is 0.

    pipeline: an image-to-image pipeline (with or without ControlNet). image: (h, w, 3), sides multiples of 8. mask:
    (h, w) in [0, 1]. options go to the pipeline: strength, num_inference_steps, guidance_scale, control_image...
    """
    pixels = pipeline.image_processor.preprocess(_picture(image)).to(pipeline.device, pipeline.unet.dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        original = pipeline.vae.encode(pixels).latent_dist.mode() * pipeline.vae.config.scaling_factor
    noise = torch.randn(original.shape, generator=generator).to(original)
    keep = KeepOutside(original, noise, latent_mask(mask, pipeline.vae_scale_factor).to(original))
    painted = pipeline(prompt, image=_picture(image), callback_on_step_end=keep, generator=generator, **options)
    soft = mask[..., None].astype(np.float32)
    result = soft * np.asarray(painted.images[0], np.float32) + (1 - soft) * image
    return np.asarray(np.round(result), np.uint8)


def _picture(image: Image) -> Any:
    from PIL import Image as Pillow

    return Pillow.fromarray(image)
