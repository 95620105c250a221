"""Masked painting: outside the mask every pixel stays.

diffusers' inpainting pipelines of Stable Diffusion want 4 or 9 latent channels; with others one refuses and the
ControlNet one ignores the mask. The callback that every pipeline calls after a step puts the latents outside the mask
back, for all of them. The pipelines of FLUX.2 klein and Z-Image take the mask themselves.
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

    pipeline: an image-to-image pipeline (with or without ControlNet) with a U-Net. image: (h, w, 3), sides multiples of
    8. mask: (h, w) in [0, 1]. options go to the pipeline: strength, num_inference_steps, guidance_scale,
    control_image...
    """
    generator = torch.Generator().manual_seed(seed)
    original = _encoded(pipeline, image)
    noise = torch.randn(original.shape, generator=generator).to(original)
    keep = KeepOutside(original, noise, latent_mask(mask, pipeline.vae_scale_factor).to(original))
    painted = pipeline(prompt, image=_picture(image), callback_on_step_end=keep, generator=generator, **options)
    return _kept_outside(painted.images[0], image, mask)


def inpaint_inside(pipeline: Any, prompt: str, image: Image, mask: Mask, *, seed: int = 0, **options: Any) -> Image:
    """As `paint_inside`, on an inpainting pipeline that takes the mask itself: FLUX.2 klein, Z-Image.

    Sides are multiples of 16. The pipelines cut masks at one half and take one pixel of each patch for all of it, so
    they are given every patch that the mask touches; the pixels outside are put back here.
    """
    side = 2 * pipeline.vae_scale_factor
    touched = latent_mask(mask, side)[0, 0].numpy() > 0
    whole = np.asarray(np.kron(touched, np.ones((side, side))) * 255, np.uint8)
    h, w = image.shape[:2]
    generator = torch.Generator().manual_seed(seed)
    pictures = {"image": _picture(image), "mask_image": _picture(whole)}
    painted = pipeline(prompt, height=h, width=w, generator=generator, **pictures, **options)
    return _kept_outside(painted.images[0], image, mask)


@torch.no_grad()
def _encoded(pipeline: Any, image: Image) -> Tensor:
    """The picture's latents, on the pipeline's device."""
    vae, before = pipeline.vae, pipeline.vae.dtype
    # SDXL's autoencoder overflows in half precision; its pipelines widen it as well.
    is_widened = before == torch.float16 and bool(vae.config.get("force_upcast", False))
    dtype = torch.float32 if is_widened else before
    pixels = pipeline.image_processor.preprocess(_picture(image)).to(pipeline._execution_device, dtype)
    if is_widened:
        vae.to(dtype)
    latents: Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
    if is_widened:
        vae.to(before)
    return latents.to(before)


def _kept_outside(painted: Any, image: Image, mask: Mask) -> Image:
    """The painted picture inside the mask, the pixels of the original outside."""
    soft = mask[..., None].astype(np.float32)
    result = soft * np.asarray(painted, np.float32) + (1 - soft) * image
    return np.asarray(np.round(result), np.uint8)


def _picture(image: Image) -> Any:
    from PIL import Image as Pillow

    return Pillow.fromarray(image)
