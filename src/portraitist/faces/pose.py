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
    """Yaw, pitch and roll in degrees, in the convention of `types.Pose`."""
    _, rotation, _ = fit_head(landmarks)
    return Pose(*angles_from_rotation(rotation))


def frontality(pose: Pose) -> float:
    """1 for a frontal face, 0 at 60 degrees of turn or nod: the cosine ramp used by rankings."""
    turn = min(float(np.hypot(pose.yaw, pose.pitch)), 60.0)
    return float((np.cos(np.radians(turn)) - 0.5) / 0.5)
