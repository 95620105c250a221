"""Learning rate and averaging as plain functions of the step: a resumed run needs no other memory of them."""

from __future__ import annotations

import math

import numpy as np

from portraitist.training.config import LoopConfig


def learning_rate(step: int, config: LoopConfig) -> float:
    """Rate at `step` (from 0): linear warm-up, then constant, then 1 / sqrt (Karras et al. 2024, EDM2, eq. 15).

    >>> learning_rate(0, LoopConfig(learning_rate=1.0, warm_up=10))
    0.1
    """
    rise = min(1.0, (step + 1) / config.warm_up) if config.warm_up else 1.0
    fall = max(1.0, step / config.decay_after) if config.decay_after else 1.0
    return config.learning_rate * rise / math.sqrt(fall)


def ema_decay(step: int, width: float) -> float:
    """Weight kept by the average at `step` (from 0): the power-function window of EDM2, whose relative width is
    `width` however long the run gets, so that a run can be stopped at any moment (Karras et al. 2024, eq. 6 and 7).
    """
    return float((1 - 1 / (step + 1)) ** (_exponent(width) + 1))


def _exponent(width: float) -> float:
    """gamma of which (gamma + 1)^(1/2) (gamma + 2)^-1 (gamma + 3)^(-1/2) is the width (EDM2, eq. 123)."""
    roots = np.roots([1.0, 7.0, 16.0 - width**-2, 12.0 - width**-2])
    return float(roots.real.max())
