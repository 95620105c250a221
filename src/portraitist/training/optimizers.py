"""The optimisers a run may be walked by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from portraitist.training.config import LoopConfig

BuildOptimizer = Callable[[list[dict[str, Any]], LoopConfig], torch.optim.Optimizer]
"""From parameter groups and the run's settings."""


def adamw(groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), its states in float32."""
    betas = (0.9, config.beta2)
    return torch.optim.AdamW(groups, betas=betas, weight_decay=config.weight_decay, fused=True)


def adamw_8bit(groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
    """The same with states in 8 bits (Dettmers et al. 2022); needs bitsandbytes and a CUDA device."""
    from bitsandbytes.optim import AdamW8bit

    betas = (0.9, config.beta2)
    optimizer: torch.optim.Optimizer = AdamW8bit(
        groups, lr=config.learning_rate, betas=betas, weight_decay=config.weight_decay
    )
    return optimizer
