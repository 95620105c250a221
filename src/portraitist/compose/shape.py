"""The sitter's shape in the template's pose, and the smooth warp that takes the template's outline there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from portraitist.faces.topology import (
    LEFT_BROW_RING,
    LEFT_EYE_RING,
    LIPS_OUTER,
    OVAL,
    RIGHT_BROW_RING,
    RIGHT_EYE_RING,
    RIGID,
    mean_face,
)
from portraitist.geometry import similarity
from portraitist.types import Points

LARGEST_REGION = 1.28
"""Area in which the template may change, over the area of its face oval."""
RING = (0.02, 0.075)
"""Narrowest and widest ring around the face in which the bend comes to rest, in square roots of the oval's area."""
LONGEST_MOVE = 0.06
"""How far a point of the outline may move, in the same unit. The bend rests over at least the move and the ring
together, so its slope stays under one and it cannot fold."""
_ANCHORS = (
    *OVAL[::2],
    *LEFT_EYE_RING[::4],
    *RIGHT_EYE_RING[::4],
    *LEFT_BROW_RING[::3],
    *RIGHT_BROW_RING[::3],
    *LIPS_OUTER[::4],
    1,
    168,
    4,
)


def pose_like(sitter: Points, template: Points) -> Points:
    """(468, 3) sitter's mesh moved, turned and scaled onto the template's rigid points: their shape and expression,
    the template's pose. Both in pixels of their own pictures."""
    chosen = list(RIGID)
    scale, rotation, translation = similarity(sitter[chosen], template[chosen])
    return np.asarray(scale * sitter @ rotation.T + translation, np.float32)


def target_mesh(sitter: Points, template: Points, outline: float) -> Points:
    """Where the result's landmarks shall be: the sitter's inner features, the outline between template and sitter."""
    posed = pose_like(sitter, template)
    weight = (1 - outline) * rimness()
    mesh = posed + weight[:, None] * (template - posed)
    return _within_reach(mesh.astype(np.float32), template)


def rimness() -> NDArray[np.float32]:
    """(468,) 1 on the oval, falling to 0 towards the features."""
    mean = mean_face()[:, :2]
    ring = mean[list(OVAL)]
    gap = np.linalg.norm(mean[:, None] - ring[None], axis=2).min(1)
    return np.asarray(np.clip(1 - gap / 35.0, 0, 1), np.float32)


def _within_reach(mesh: Points, template: Points) -> Points:
    """Hold outline moves to what the ring can take without folding."""
    limit = LONGEST_MOVE * oval_root(template)
    shift = mesh - template
    length = np.linalg.norm(shift[:, :2], axis=1)
    held = np.minimum(1.0, limit / np.maximum(length, 1e-6)) * rimness() + (1 - rimness())
    return np.asarray(template + shift * held[:, None], np.float32)


def oval_root(mesh: Points) -> float:
    """Square root of the area of the mesh's hull in pixels: the ruler of this folder."""
    hull = cv2.convexHull(np.ascontiguousarray(mesh[:, :2], np.float32))
    return float(np.sqrt(max(cv2.contourArea(hull), 1.0)))


@dataclass(frozen=True)
class Bend:
    """A backward displacement field: the result's pixel p shows the template's pixel p + field(p)."""

    field: NDArray[np.float32]
    reach: NDArray[np.float32]
    """(h, w) 1 in the face, falling to 0 at the end of the ring."""

    def apply(self, image: NDArray[np.generic]) -> NDArray[np.float32]:
        """Warp float32 (h, w) or (h, w, c) pixels."""
        h, w = self.field.shape[:2]
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        sampled = cv2.remap(
            image.astype(np.float32),
            x + self.field[..., 0],
            y + self.field[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(sampled, np.float32)


def bend_template(template: Points, target: Points, size: tuple[int, int]) -> Bend:
    """The smooth field that carries the template's oval onto the target's and rests at the end of the ring.

    Thin-plate spline through the outline and a few features (glasses follow the eyes), sampled coarsely.
    Source: Duchon 1977; evaluated by scipy.
    """
    anchors = list(_ANCHORS)
    points, shifts = target[anchors, :2], (template - target)[anchors, :2]
    hull = _union_hull(target, template)
    ring = _ring_width(hull, template)
    rest = _pushed_out(hull, ring)
    spline = RBFInterpolator(
        np.concatenate([points, rest]),
        np.concatenate([shifts, np.zeros_like(rest)]),
        smoothing=20.0,
        kernel="thin_plate_spline",
    )
    field = _sampled(spline, size, max(4, min(size) // 48))
    reach = np.clip(1 - _distance_to(hull, size) / ring, 0, 1).astype(np.float32)
    ease = _ease(_distance_to(cv2.convexHull(np.ascontiguousarray(target[:, :2])).reshape(-1, 2), size), reach * ring)
    return Bend((field * ease[..., None]).astype(np.float32), reach)


def _ease(travelled: NDArray[np.float32], left: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 on the target's face, 0 at the end of the ring, a smoothstep of the way left between the two."""
    t = np.where(travelled > 0, left / np.maximum(travelled + left, 1e-6), 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _ring_width(hull: NDArray[np.float32], template: Points) -> float:
    """Pixels of ring that keep hull and ring within LARGEST_REGION ovals (Steiner's formula for the outer parallel)."""
    root = oval_root(template)
    spare = LARGEST_REGION * root**2 - float(cv2.contourArea(hull))
    length = float(cv2.arcLength(hull, True))
    ring = (-length + np.sqrt(length**2 + 4 * np.pi * max(spare, 0.0))) / (2 * np.pi)
    return float(np.clip(ring, RING[0] * root, RING[1] * root))


def _sampled(spline: RBFInterpolator, size: tuple[int, int], step: int) -> NDArray[np.float32]:
    """(h, w, 2) values of the spline: every `step` pixels, then enlarged smoothly."""
    rows, columns = -(-size[0] // step), -(-size[1] // step)
    y, x = (np.mgrid[0:rows, 0:columns] + 0.5) * step - 0.5
    coarse = spline(np.column_stack([x.ravel(), y.ravel()])).reshape(rows, columns, 2).astype(np.float32)
    large = cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[: size[0], : size[1]], np.float32)


def _union_hull(target: Points, template: Points) -> NDArray[np.float32]:
    both = np.concatenate([target[:, :2], template[:, :2]]).astype(np.float32)
    return np.asarray(cv2.convexHull(both), np.float32).reshape(-1, 2)


def _pushed_out(hull: NDArray[np.float32], ring: float) -> NDArray[np.float32]:
    centre = hull.mean(0)
    away = (hull - centre) / np.maximum(np.linalg.norm(hull - centre, axis=1, keepdims=True), 1e-6)
    return np.asarray(hull + away * ring, np.float32)


def _distance_to(hull: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) pixels from the hull, 0 inside."""
    inside = np.zeros(size, np.uint8)
    cv2.fillConvexPoly(inside, np.round(hull).astype(np.int32), 1)
    return np.asarray(cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5), np.float32)
