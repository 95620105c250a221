"""Likeness: a distance between raw descriptors, read on a same-person / other-person scale."""

from __future__ import annotations

import numpy as np

# Logistic fitted on person-disjoint pairs of the tune split; see benchmarks/likeness_scale.py.
MIDPOINT = 0.5
SLOPE = 20.0


def likeness(distance: float) -> float:
    """Probability-like score in [0, 1]: 1 / (1 + exp(SLOPE (distance - MIDPOINT))); 0.5 at the midpoint."""
    return float(1 / (1 + np.exp(np.clip(SLOPE * (distance - MIDPOINT), -60, 60))))
