"""Smile, open mouth and open eyes, measured on the mesh after the head pose is taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.pose import fit_head
from portraitist.types import Expression, Points


def in_head_frame(landmarks: Points) -> NDArray[np.float64]:
    """(468, 3) landmarks in millimetres in the mean face's frame."""
    scale, rotation, translation = fit_head(landmarks)
    return np.asarray((landmarks - translation) @ rotation / scale, np.float64)


def measure_expression(landmarks: Points) -> Expression:
    """Each value in [0, 1]; ramps were set on the tune photos (neutral and smiling pairs)."""
    head = in_head_frame(landmarks)
    mouth_width = float(np.linalg.norm(head[291] - head[61]))
    corner_lift = float(head[13, 1] - (head[61, 1] + head[291, 1]) / 2)
    mouth_gap = float(np.linalg.norm(head[14] - head[13]))
    return Expression(
        smile=_ramp(mouth_width / 50 + corner_lift / 20, 1.0, 1.45),
        mouth_open=_ramp(mouth_gap, 2.0, 20.0),
        eyes_open=_ramp(min(_eye_ratio(head, 159, 145, 33, 133), _eye_ratio(head, 386, 374, 362, 263)), 0.08, 0.24),
    )


def _eye_ratio(head: NDArray[np.float64], top: int, bottom: int, one: int, other: int) -> float:
    return float(np.linalg.norm(head[top] - head[bottom]) / np.linalg.norm(head[one] - head[other]))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
