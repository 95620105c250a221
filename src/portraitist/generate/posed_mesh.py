"""A sitter's own mesh turned to a pose, with an expression, in the framing that the bases were trained in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.faces.align import portrait_matrix
from portraitist.faces.expression import in_head_frame, measure_expression
from portraitist.faces.pose import mesh_angles
from portraitist.faces.topology import LIPS_INNER, LIPS_OUTER, mean_face
from portraitist.generate.poses import HeadPose
from portraitist.geometry import apply, rotation_from_angles
from portraitist.types import Points, Pose, Reference

Head = NDArray[np.float32]
"""(468, 3) millimetres in the mean face's frame."""
_CORNERS = (61, 291)
_HINGES = (234, 454)
_REACH = 16.0
"""How far from a mouth corner a smile still pulls, in mm (one standard deviation)."""
_PULL = np.array([0.80, -0.55, 0.25])
"""Where a smile takes the corner on the picture's right: outwards, up, back."""
_LONGEST_PULL, _WIDEST = 14.0, 22.0
"""Bounds of what is tried: mm of a corner, degrees of the jaw."""


def posed_mesh(landmarks: Points, pose: HeadPose, side: int) -> Points:
    """(468, 3) the mesh as it would be read from a framed picture of `side` pixels in which the head has the pose.

    landmarks: the sitter's, in pixels of any picture. The shape is theirs, and the expression where the pose has none.
    """
    head = with_expression(in_head_frame(landmarks).astype(np.float32), smile=pose.smile, mouth_open=pose.mouth_open)
    yaw, pitch = mesh_angles(pose.angles)
    turned = np.asarray(head @ rotation_from_angles(yaw, pitch, 0.0).T, np.float32)
    framed = apply(portrait_matrix(turned, side), turned)
    # The framing stands every head upright; a tilt is put in afterwards, about the middle of the face.
    middle = np.array([*framed[:, :2].mean(axis=0), 0.0])
    return np.asarray((framed - middle) @ rotation_from_angles(0.0, 0.0, pose.roll).T + middle, np.float32)


def nearest_reference(references: Sequence[Reference], pose: Pose) -> Reference:
    """The photo whose face is nearest in pose, a bad one counted as 30 degrees away. Raises InputError without any."""
    if not references:
        raise InputError("pose: expected at least one photo of the sitter to take the shape from, found none")

    def cost(reference: Reference) -> float:
        quality = reference.face.quality
        return reference.face.pose.angle_to(pose) + (30 * (1 - quality.overall) if quality else 0.0)

    return min(references, key=lambda r: (round(cost(r), 4), r.picture.digest))


def with_expression(head: Head, *, smile: float | None = None, mouth_open: float | None = None) -> Head:
    """The head with its jaw and its mouth corners moved until both measure as asked, as far as they can; None leaves
    one as it is."""
    if mouth_open is not None:
        angle = _solve(lambda a: _opened(_jaw(head, a)), mouth_open, -_WIDEST, _WIDEST)
        head = _jaw(head, angle)
    if smile is not None:
        pull = _solve(lambda p: measure_expression(_pulled(head, p)).smile, smile, -_LONGEST_PULL, _LONGEST_PULL)
        head = _pulled(head, pull)
    return head


def _solve(measure: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising measure reaches the value, by halving; 0 where it is there already."""
    wanted = min(max(wanted, 0.02), 0.98)  # At its ends a measure is flat, and any distance would do.
    if abs(measure(0.0) - wanted) < 0.01:
        return 0.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(middle) < wanted else (low, middle)
    return (low + high) / 2


def _opened(head: Head) -> float:
    """How far the mouth is open; -1 where the lips would cross."""
    return measure_expression(head).mouth_open if head[14, 1] > head[13, 1] else -1.0


def _jaw(head: Head, degrees: float) -> Head:
    """The jaw turned about the line between its hinges, near the ears: it opens downwards and back."""
    hinge = head[list(_HINGES)].mean(axis=0)
    turned = (head - hinge) @ rotation_from_angles(0.0, -degrees, 0.0).T + hinge
    return np.asarray(head + _jaw_share()[:, None] * (turned - head), np.float32)


def _pulled(head: Head, millimetres: float) -> Head:
    """Both mouth corners pulled into a smile, and what lies around them."""
    moved = head.astype(np.float64)
    for corner, side in zip(_CORNERS, (-1, 1), strict=True):
        near = np.exp(-0.5 * (np.linalg.norm(mean_face() - mean_face()[corner], axis=1) / _REACH) ** 2)
        moved += millimetres * near[:, None] * (_PULL * [side, 1, 1])
    return moved.astype(np.float32)


@functools.cache
def _jaw_share() -> NDArray[np.float32]:
    """(468,) how much a vertex follows the jaw: 1 at the chin and the lower lip, 0 at the upper lip and above."""
    mean = mean_face().astype(np.float64)
    line = float(mean[[13, 14], 1].mean())
    t = np.clip((mean[:, 1] - line + 6.0) / 12.0, 0, 1)
    share = t * t * (3 - 2 * t)
    for ring in (LIPS_OUTER, LIPS_INNER):
        half = len(ring) // 2
        share[list(ring[1:half])] = 1.0
        share[list(ring[half + 1 :])] = 0.0
        share[[ring[0], ring[half]]] = 0.5
    return np.asarray(share, np.float32)
