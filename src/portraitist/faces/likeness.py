"""Likeness: a distance between raw descriptors, read on a same-person / other-person scale."""

from __future__ import annotations

import numpy as np

# Fitted by benchmarks/likeness_scale.py on 28 same-person and 1568 other-person pairs of the tune split.
MIDPOINT = 0.472
SLOPE = 14.5


def likeness(distance: float) -> float:
    """Probability-like score in [0, 1]: 1 / (1 + exp(SLOPE (distance - MIDPOINT))); 0.5 at the midpoint."""
    return float(1 / (1 + np.exp(np.clip(SLOPE * (distance - MIDPOINT), -60, 60))))
