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
    """Each value in [0, 1]. A smile of 0.5 is the best split of the tune split's neutral and smiling pairs.

    eyes_open hardly falls for closed eyes: the mesh draws them open (docs/faces.md).
    """
    head = in_head_frame(landmarks)
    eyes = min(_eye_ratio(head, 159, 145, 33, 133), _eye_ratio(head, 386, 374, 362, 263))
    return Expression(
        smile=_ramp(smile_measure(head), 0.20, 0.50),
        mouth_open=_ramp(float(np.linalg.norm(head[14] - head[13])), 2.0, 20.0),
        eyes_open=_ramp(eyes, 0.08, 0.24),
    )


def smile_measure(head: NDArray[np.float64]) -> float:
    """Twice the mouth's part of the face's width, plus how far the corners rise to the upper lip, in 20 mm."""
    width = float(np.linalg.norm(head[291] - head[61]) / np.linalg.norm(head[454] - head[234]))
    return 2 * width + float(head[0, 1] - (head[61, 1] + head[291, 1]) / 2) / 20


def _eye_ratio(head: NDArray[np.float64], top: int, bottom: int, one: int, other: int) -> float:
    return float(np.linalg.norm(head[top] - head[bottom]) / np.linalg.norm(head[one] - head[other]))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
