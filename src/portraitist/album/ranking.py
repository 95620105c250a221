"""How good a photo is for the engines: album likeness x quality x frontality, each in [0, 1]."""

from __future__ import annotations

import math

from portraitist.types import Face, Pose

_HALF_WAY = 30.0
"""Degrees of turn at which frontality is one half."""


def frontality(pose: Pose) -> float:
    """1 for a face that looks into the camera, 0.5 at 30 degrees of turn; roll does not count, it is turned away.

    2^-(angle / 30)^2 over yaw and pitch together.
    """
    return float(2 ** -((math.hypot(pose.yaw, pose.pitch) / _HALF_WAY) ** 2))


def quality_of(face: Face) -> float:
    """The face's overall quality in [0, 1]; 0 when it was not measured."""
    return face.quality.overall if face.quality is not None else 0.0
