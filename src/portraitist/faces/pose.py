"""Head pose from a 3-D fit of our mean face to the mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import RIGID, mean_face
from portraitist.geometry import Matrix, angles_from_rotation, similarity
from portraitist.types import Points, Pose


def fit_head(landmarks: Points) -> tuple[float, Matrix, NDArray[np.float64]]:
    """Scale (pixels a millimetre), rotation (3, 3) and translation (3,) of the mean face onto the rigid points."""
    chosen = list(RIGID)
    return similarity(mean_face()[chosen], landmarks[chosen])


def estimate_pose(landmarks: Points) -> Pose:
    """Yaw, pitch and roll in degrees, in the convention of `types.Pose`.

    The mesh flattens nods and far turns, and a frontal face reads as 4 degrees down. The correction was fitted on
    rendered heads of known pose (benchmarks/heads.py, seeds 100-111, yaw to 60, pitch to 30, lashes still drawn).
    """
    _, rotation, _ = fit_head(landmarks)
    yaw, pitch, roll = angles_from_rotation(rotation)
    return Pose(_true_yaw(yaw), 2.61 + 1.25 * pitch + 3.53e-3 * _within(yaw) ** 2, roll)


def mesh_angles(pose: Pose) -> tuple[float, float]:
    """(yaw, pitch) in degrees of the mesh that `estimate_pose` reads as the pose: its correction undone."""
    raw = np.linspace(-90, 90, 3601)
    yaw = float(np.interp(pose.yaw, [_true_yaw(value) for value in raw], raw))
    return yaw, (pose.pitch - 2.61 - 3.53e-3 * _within(yaw) ** 2) / 1.25


def _true_yaw(yaw: float) -> float:
    return float(0.960 * yaw + 5.25e-5 * _within(yaw) ** 3)


def _within(yaw: float) -> float:
    """The correction is held where nothing was measured."""
    return float(min(max(yaw, -70.0), 70.0))


def frontality(pose: Pose) -> float:
    """1 for a frontal face, 0 at 60 degrees of turn or nod: the cosine ramp used by rankings."""
    turn = min(float(np.hypot(pose.yaw, pose.pitch)), 60.0)
    return float((np.cos(np.radians(turn)) - 0.5) / 0.5)
