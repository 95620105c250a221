"""From photos to latents (inversion), and the same latents through another generator (restyling).

W+ optimisation: every place has a latent of its own (Abdal et al. 2019, "Image2StyleGAN"), begun at the encoder's guess
and held near it: latents far from where w lives give the photo's pixels and a broken style.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from portraitist.progress import Report, Step, silent
from portraitist.stylize.generator.config import InvertConfig
from portraitist.stylize.generator.encoder import Encoder, psnr
from portraitist.stylize.generator.generator_file import TrainedGenerator
from portraitist.stylize.generator.losses import held
from portraitist.stylize.generator.sample import mean_latent, pictures_of, to_tensor


@dataclass(frozen=True)
class Inverted:
    """latents: (n, latents, latent). started, reached: (n,) dB of the picture against the photo before and after."""

    latents: Tensor
    started: NDArray[np.float64]
    reached: NDArray[np.float64]


def invert(
    trained: TrainedGenerator,
    photos: NDArray[np.uint8],
    config: InvertConfig,
    *,
    encoder: Encoder | None = None,
    report: Report = silent,
) -> Inverted:
    """photos: (n, side, side, 3) in the generator's framing. Without an encoder it begins at the mean latent."""
    generator = trained.generator
    target = to_tensor(photos).to(generator.synthesis.constant)
    mean = mean_latent(generator)
    with torch.no_grad():
        start = encoder(target) if encoder else mean.expand(len(target), generator.size.latents, -1)
    latents = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([latents], lr=config.learning_rate)
    with held(generator):
        began = psnr(generator.synthesis(start), target)
        for step in range(config.steps):
            optimizer.param_groups[0]["lr"] = config.learning_rate * min(1.0, 2 * (1 - step / config.steps))
            loss = _distance(trained, generator.synthesis(latents), target)
            loss = loss + config.pull_weight * (latents - start).square().mean()
            (latents.grad,) = torch.autograd.grad(loss, [latents])
            optimizer.step()
            report(Step("invert", step + 1, config.steps, f"loss {float(loss.detach()):.4f}"))
        reached = psnr(generator.synthesis(latents), target)
    return Inverted(latents.detach(), began.double().cpu().numpy(), reached.double().cpu().numpy())


def restyle(style: TrainedGenerator, latents: Tensor) -> NDArray[np.uint8]:
    """(n, side, side, 3): the pictures a style (transferred from, or blended with, the source) makes of them."""
    return pictures_of(style.generator, latents)


def _distance(trained: TrainedGenerator, pictures: Tensor, target: Tensor) -> Tensor:
    """Absolute difference at three scales, and of the discriminator's features where it was kept."""
    total = torch.zeros([]).to(pictures)
    a, b = pictures, target
    for _ in range(3):
        total = total + functional.l1_loss(a, b)
        a, b = functional.avg_pool2d(a, 2), functional.avg_pool2d(b, 2)
    if trained.discriminator is not None:
        with held(trained.discriminator):
            found, wanted = trained.discriminator.features(pictures), trained.discriminator.features(target)
        parts = [functional.l1_loss(x, y) / (y.abs().mean() + 1e-6) for x, y in zip(found, wanted, strict=True)]
        total = total + torch.stack(parts).mean()
    return total
