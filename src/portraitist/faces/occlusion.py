"""How much of a face can be seen: dark glasses, a covered mouth, and what the picture's border cuts off.

Judged by colour at mesh vertices: glasses make the skin under the eyes darker than cheek and forehead, a mask gives
chin and forehead different hues and leaves no lips. Ramps were set on tune photos and on glasses and masks
drawn there; benchmarks/faces_accuracy.py judges them. A dark beard costs little while the lips stay visible.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import LIPS_OUTER, mirror_index
from portraitist.types import Face, Image, Points

_UNDER_EYE = (230, 231, 229, 119, 118, 120)
_CHEEK = (50, 101, 36, 205)
_FOREHEAD = (151, 9, 108, 69, 67, 109)
_CHIN = (18, 200, 199, 175, 152, 57, 210, 211, 32, 194, 204, 202)
_LIPS = (*LIPS_OUTER[1:10], 0, 267, 37)


def measure_visibility(chip: Image, chip_points: Points, face: Face, size: tuple[int, int]) -> float:
    """[0, 1], 1 when nothing covers the face.

    chip: (side, side, 3) face crop with the mesh at `chip_points`; size: (h, w) of the photo `face` is in.
    """
    blurred = cv2.GaussianBlur(chip, (0, 0), chip.shape[0] / 100)
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB).astype(np.float32) - np.array([0, 128, 128], np.float32)
    lab[..., 0] /= 2.55
    covered = max(dark_glasses(lab, chip_points), covered_mouth(lab, chip_points))
    return float((1 - covered) * _ramp(inside_part(face, size), 0.5, 0.95))


def dark_glasses(lab: NDArray[np.float32], points: Points) -> float:
    """[0, 1] from how much darker the skin under the eyes is than cheek and forehead, relative to the forehead."""
    forehead, cheek, under = (_colour(lab, points, _both_sides(part))[0] for part in (_FOREHEAD, _CHEEK, _UNDER_EYE))
    return _ramp(min(forehead - under, cheek - under) / max(float(forehead), 25.0), 0.15, 0.45)


def covered_mouth(lab: NDArray[np.float32], points: Points) -> float:
    """[0, 1] from the hue difference of chin and forehead where the lips are no redder than the chin."""
    chin, forehead = _colour(lab, points, _both_sides(_CHIN)), _colour(lab, points, _both_sides(_FOREHEAD))
    redness = float(_colour(lab, points, _LIPS)[1] - chin[1])
    return _ramp(float(np.linalg.norm(chin[1:] - forehead[1:])), 7, 11) * _ramp(-redness, -4, -2)


def inside_part(face: Face, size: tuple[int, int]) -> float:
    """Part of the mesh's points that lie in the picture."""
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    return float(((x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])).mean())


def _both_sides(indices: Sequence[int]) -> tuple[int, ...]:
    return tuple({*indices, *(int(i) for i in mirror_index()[list(indices)])})


def _colour(lab: NDArray[np.float32], points: Points, indices: Sequence[int]) -> NDArray[np.float32]:
    x, y = np.clip(np.round(points[list(indices), :2]), 0, lab.shape[0] - 1).astype(int).T
    return np.asarray(np.median(lab[y, x], axis=0), np.float32)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
