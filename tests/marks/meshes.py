"""Faces made of the mean face, at any pose, for the tests of marks."""

from __future__ import annotations

import numpy as np

from portraitist.faces.pose import estimate_pose
from portraitist.faces.topology import mean_face
from portraitist.geometry import bounding_box, rotation_from_angles
from portraitist.types import Face, Points


def face_of(points: Points) -> Face:
    return Face(bounding_box(points), points, 1.0, 1.0, estimate_pose(points))


def head(yaw: float = 0, pitch: float = 0, roll: float = 0, scale: float = 3.0, seed: int | None = None) -> Face:
    """The mean face turned, `scale` pixels a millimetre; with a seed, another person: every vertex moved a little."""
    shape = mean_face()
    if seed is not None:
        stretch = 1 + np.random.default_rng(seed).uniform(-0.1, 0.1, 3)
        shape = shape * stretch
    turned = shape @ rotation_from_angles(yaw, pitch, roll).T
    return face_of((turned * scale + [400, 400, 0]).astype(np.float32))
