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

RING = 0.075
"""Width of the ring around the face in which the template may bend, in square roots of the oval's area: an oval with
such a ring has under 1.3 times its area."""
_STEEPEST = 1.5
"""Greatest slope of the smoothstep that eases the bend out over the ring: a move longer than RING / 1.5 would fold."""
_ANCHORS = (*OVAL[::2], *LEFT_EYE_RING[::4], *RIGHT_EYE_RING[::4], *LEFT_BROW_RING[::3], *RIGHT_BROW_RING[::3], *LIPS_OUTER[::4], 1, 168, 4)


def pose_like(sitter: Points, template: Points) -> Points:
    """(468, 3) sitter's mesh moved, turned and scaled onto the template's rigid points: their shape and expression,
    the template's pose. Both in pixels of their own pictures."""
    chosen = list(RIGID)
    scale, rotation, translation = similarity(sitter[chosen], template[chosen])
    return (scale * sitter @ rotation.T + translation).astype(np.float32)


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
    return np.clip(1 - gap / 35.0, 0, 1).astype(np.float32)


def _within_reach(mesh: Points, template: Points) -> Points:
    """Hold outline moves to what the ring can take without folding."""
    limit = 0.9 * RING / _STEEPEST * oval_root(template)
    shift = mesh - template
    length = np.linalg.norm(shift[:, :2], axis=1)
    held = np.minimum(1.0, limit / np.maximum(length, 1e-6)) * rimness() + (1 - rimness())
    return (template + shift * held[:, None]).astype(np.float32)


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
            image.astype(np.float32), x + self.field[..., 0], y + self.field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(sampled, np.float32)


def bend_template(template: Points, target: Points, size: tuple[int, int]) -> Bend:
    """The smooth field that carries the template's oval onto the target's and rests at the end of the ring.

    Thin-plate spline through the outline and a few features (glasses follow the eyes), sampled coarsely.
    Source: Duchon 1977; evaluated by scipy.
    """
    anchors = list(_ANCHORS)
    points, shifts = target[anchors, :2], (template - target)[anchors, :2]
    reach = _reach(target, template, size)
    rest = _rest_points(target, template)
    spline = RBFInterpolator(
        np.concatenate([points, rest]), np.concatenate([shifts, np.zeros_like(rest)]), smoothing=20.0, kernel="thin_plate_spline"
    )
    field = _sampled(spline, size, max(4, min(size) // 48))
    ease = reach * reach * (3 - 2 * reach)
    return Bend((field * ease[..., None]).astype(np.float32), reach)


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


def _rest_points(target: Points, template: Points) -> NDArray[np.float32]:
    hull = _union_hull(target, template)
    centre = hull.mean(0)
    away = (hull - centre) / np.maximum(np.linalg.norm(hull - centre, axis=1, keepdims=True), 1e-6)
    return (hull + away * RING * oval_root(template)).astype(np.float32)


def _reach(target: Points, template: Points, size: tuple[int, int]) -> NDArray[np.float32]:
    inside = np.zeros(size, np.uint8)
    cv2.fillConvexPoly(inside, np.round(_union_hull(target, template)).astype(np.int32), 1)
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    return np.clip(1 - distance / (RING * oval_root(template)), 0, 1).astype(np.float32)
