"""Rectified flow with a network that predicts the clean latents, and the scheduler that samples it.

z = (1 - sigma) x + sigma e, sigma in [0, 1] (Liu et al. 2022, eq. 1; Lipman et al. 2022). The network sees z and
1000 sigma and answers x: on wide patches the clean image is the easier target, as it lies near a low-dimensional
manifold and noise does not (Li and He 2025, "Back to basics").
"""

from __future__ import annotations

import torch
from diffusers import DPMSolverMultistepScheduler
from torch import Tensor

LEAST_SIGMA = 0.2
"""Below it the loss's weight stops growing, or the removal of the last faint noise would take most of the gradient."""


SHIFT = 12.0
"""Of the noise levels of drawing from words: s becomes SHIFT s / (1 + (SHIFT - 1) s) (Esser et al. 2024, there
for larger pictures).

Each step at low noise sharpens speckles that the network takes for detail, so the steps go where the picture is laid
out: of 20 the last begins at sigma 0.39. On the training split's captions, 60 pictures at step 13,000: KID x 1000 falls
from 103 (shift 1) to 52, a real-looking mesh rises from 63 to 82 % (guidance 2.0 and 1.5).
"""


def flow_scheduler(shift: float = SHIFT) -> DPMSolverMultistepScheduler:
    """DPM-Solver++ (2M) over flow sigmas: the one flow scheduler that every Stable Diffusion pipeline accepts.

    shift: 1 spaces the levels evenly, which image-to-image wants: there `strength` then is the level it begins at.
    """
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000, prediction_type="sample", use_flow_sigmas=True, flow_shift=shift, steps_offset=1
    )


def draw_sigmas(count: int, *, mean: float, spread: float, device: torch.device | None = None) -> Tensor:
    """(count,) noise levels, logit-normal (Esser et al. 2024, eq. 19)."""
    return torch.sigmoid(torch.randn(count, device=device) * spread + mean)


def add_noise(clean: Tensor, noise: Tensor, sigmas: Tensor) -> Tensor:
    """z of the module's equation; sigmas (b,), the others (b, c, h, w)."""
    level = sigmas.view(-1, 1, 1, 1)
    return (1 - level) * clean + level * noise


def velocity_loss(predicted: Tensor, clean: Tensor, sigmas: Tensor) -> Tensor:
    """(b,) mean squared error of the velocity (z - x) / sigma that the prediction implies."""
    weight = sigmas.clamp_min(LEAST_SIGMA).square().reciprocal()
    return weight * (predicted - clean).square().mean(dim=(1, 2, 3))
