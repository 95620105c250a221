"""A fixed autoencoder: 8 x 8 patches in an orthonormal basis, the components a PCA found largest.

Nothing is learned by descent, encoding and decoding cost about a millisecond, and the noise of diffusion keeps a
plain meaning: the components are scaled by the square root of their deviation, halfway between pixels (where fine
detail drowns until the last steps) and whitened latents (where the error of coarse tones would be amplified).
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import Tensor
from torch.nn import functional

PATCH = 8
SCALING_POWER = 0.5
"""Latents are components divided by deviation ** SCALING_POWER; 0 would keep pixels' proportions, 1 whiten."""
DEVIATION = 0.5
"""Of the latents as a whole. At 1 the coarse components outshine the noise until it is nine tenths of the mixture, and
few steps are left to decide what the face is: the same training drew speckled faces."""


class PatchAutoencoder(AutoencoderKL):  # type: ignore[misc]
    """Stands where `AutoencoderKL` stands in a diffusers pipeline.

    Images (b, 3, h, w) in [-1, 1], h and w multiples of 8; latents (b, latent_channels, h / 8, w / 8), of deviation
    0.5 over the channels of faces. Encoding is deterministic.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        latent_channels: int = 64,
        block_out_channels: tuple[int, ...] = (1, 1, 1, 1),
        scaling_factor: float = 1.0,
        shift_factor: float | None = None,
        force_upcast: bool = False,
    ) -> None:
        # Not AutoencoderKL's own constructor: it would build the convolutional networks.
        ModelMixin.__init__(self)
        size = 3 * PATCH * PATCH
        self.register_buffer("basis", torch.eye(latent_channels, size))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(latent_channels))
        self.use_slicing = self.use_tiling = False

    @classmethod
    def fit(cls, images: Tensor, *, latent_channels: int = 64) -> PatchAutoencoder:
        """Fit the basis to images (n, 3, h, w) in [-1, 1] by an eigendecomposition of the patches' covariance."""
        patches = _patches(images).flatten(0, 2).double()
        mean = patches.mean(0)
        covariance = (patches - mean).T @ (patches - mean) / len(patches)
        power, vectors = torch.linalg.eigh(covariance)
        power, vectors = power.flip(0)[:latent_channels], vectors.flip(1)[:, :latent_channels]
        deviation = power.clamp_min(1e-12).sqrt()
        scale = deviation**-SCALING_POWER
        scale *= DEVIATION / (deviation * scale).square().mean().sqrt()
        model: PatchAutoencoder = cls(latent_channels=latent_channels)
        signs = torch.sign(vectors.sum(0, keepdim=True)) + (vectors.sum(0, keepdim=True) == 0)
        for name, value in (("basis", (vectors * signs).T), ("mean", mean), ("scale", scale)):
            getattr(model, name).copy_(value)
        return model

    @apply_forward_hook  # type: ignore[untyped-decorator]
    def encode(self, x: Tensor, return_dict: bool = True) -> Any:
        """AutoencoderKLOutput whose distribution has no spread."""
        components = (_patches(x) - self.mean) @ self.basis.T * self.scale
        latents = components.permute(0, 3, 1, 2).contiguous()
        moments = torch.cat([latents, torch.full_like(latents, -30.0)], dim=1)
        spread = DiagonalGaussianDistribution(moments, deterministic=True)
        return AutoencoderKLOutput(latent_dist=spread) if return_dict else (spread,)

    @apply_forward_hook  # type: ignore[untyped-decorator]
    def decode(self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None) -> Any:
        """DecoderOutput with images (b, 3, h, w), not clipped."""
        patches = (z.permute(0, 2, 3, 1) / self.scale) @ self.basis + self.mean
        sample = functional.pixel_shuffle(patches.permute(0, 3, 1, 2), PATCH)
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def forward(
        self,
        sample: Tensor,
        sample_posterior: bool = False,
        return_dict: bool = True,
        generator: torch.Generator | None = None,
    ) -> Any:
        """A round trip."""
        return self.decode(self.encode(sample).latent_dist.mode(), return_dict=return_dict)


def _patches(images: Tensor) -> Tensor:
    """(b, 3, h, w) -> (b, h / 8, w / 8, 192)."""
    return functional.pixel_unshuffle(images, PATCH).permute(0, 2, 3, 1)
