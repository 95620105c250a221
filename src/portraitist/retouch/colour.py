"""Colour statistics in CIE LAB (D65), L in 0-100."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image

Lab = NDArray[np.float32]


def to_lab(image: Image | NDArray[np.float32]) -> Lab:
    """uint8 or [0, 1] float RGB (h, w, 3) to LAB."""
    unit = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image
    return np.asarray(cv2.cvtColor(unit.astype(np.float32), cv2.COLOR_RGB2Lab), np.float32)


def from_lab(lab: Lab) -> NDArray[np.float32]:
    """LAB to [0, 1] float RGB, clipped."""
    return np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_Lab2RGB), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class LabStatistics:
    """Weighted mean and standard deviation of the three channels."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


def lab_statistics(lab: Lab, weight: NDArray[np.float32]) -> LabStatistics:
    """Statistics where `weight` (h, w) is positive; values beyond 2.5 deviations are dropped once (highlights, hairs)."""
    values, w = lab.reshape(-1, 3), weight.reshape(-1)
    values, w = values[w > 0.05], w[w > 0.05]
    for _ in range(2):
        total = max(float(w.sum()), 1e-6)
        mean = (values * w[:, None]).sum(0) / total
        deviation = np.sqrt((((values - mean) ** 2) * w[:, None]).sum(0) / total)
        inside = (np.abs(values - mean) <= 2.5 * deviation + 1e-3).all(1)
        values, w = values[inside], w[inside]
    return LabStatistics(mean.astype(np.float32), deviation.astype(np.float32))


def match_lab(lab: Lab, source: LabStatistics, target: LabStatistics, *, low: float = 0.75, high: float = 1.35) -> Lab:
    """Shift and scale each channel from `source` to `target` statistics; the scale is held in [low, high] so that
    noise is not amplified. Source: Reinhard et al., "Color transfer between images", 2001 (in LAB)."""
    gain = np.clip(target.deviation / np.maximum(source.deviation, 0.5), low, high)
    return np.asarray((lab - source.mean) * gain + target.mean, np.float32)
