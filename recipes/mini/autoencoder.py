"""Fit the patch autoencoder on the pack and measure what a round trip loses."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.types import Image
from recipes.mini.config import MiniConfig
from recipes.mini.pack import Pack
from recipes.mini.samples import Sampler


def fit_autoencoder(config: MiniConfig, pack: Pack, *, pictures: int = 2000) -> PatchAutoencoder:
    """The basis of `pictures` training samples, crops and mirrored ones among them."""
    sampler = Sampler(pack, config.data, config.image_side, config.loop.seed)
    images = [sample.image for sample in sampler.batch(0, pictures)]
    return PatchAutoencoder.fit(as_tensor(images), latent_channels=config.latent_channels)


def shrink(image: Image, side: int) -> Image:
    """The picture at side x side pixels."""
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def as_tensor(images: list[Image]) -> Tensor:
    """(n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def round_trip(autoencoder: PatchAutoencoder, images: list[Image]) -> list[Image]:
    """What is left of the images after encoding and decoding."""
    with torch.no_grad():
        decoded = autoencoder(as_tensor(images)).sample.clamp(-1, 1)
    return list(((decoded + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def psnr(images: list[Image], others: list[Image]) -> list[float]:
    """Peak signal to noise ratio of each pair, in dB."""
    errors = [np.mean((a.astype(np.float64) - b) ** 2) for a, b in zip(images, others, strict=True)]
    return [float(10 * np.log10(255**2 / max(error, 1e-9))) for error in errors]
