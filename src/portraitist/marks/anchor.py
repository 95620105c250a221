"""Where a mark sits: a triangle of the face mesh and weights of its corners, so that it follows pose and expression.

Distances between marks are taken on the mean face, scaled so that its eyes are 63 mm apart: the canonical face.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.faces.topology import (
    LEFT_EYE_RING,
    RIGHT_EYE_RING,
    filled_triangles,
    mean_face,
    mirror_index,
    oriented_triangles,
    triangles,
)
from portraitist.types import Face, Points

PUPILS_MM = 63.0
"""The ruler: the distance of a face's eyes. People differ by several millimetres; every length here carries that."""
REACH_MM = 15.0
"""How far outside the mesh (forehead, under the jaw) a point may lie and still be anchored."""
LEAST_FACING = 0.2
"""Cosine of the angle to the camera below which a triangle counts as turned away (78 degrees)."""
_COVER_MM = 5.0
"""A triangle hides a place when it is nearer to the camera by more than this; the mesh's depth is that rough."""


@dataclass(frozen=True)
class Anchor:
    """A place on the mesh. triangle: row of `faces.topology.triangles()`; weights: (3,) of its corners, sum 1.

    A weight below zero says that the place lies outside the mesh, extrapolated from a triangle of its border.
    """

    triangle: int
    weights: tuple[float, float, float]

    def __post_init__(self) -> None:
        whole = len(self.weights) == 3 and abs(sum(self.weights) - 1) < 1e-3
        if not (0 <= self.triangle < len(triangles()) and whole):
            raise InputError(
                f"anchor: expected a triangle below {len(triangles())} and three weights that add up to 1, found "
                f"{self.triangle} and {self.weights}; make the anchor again with anchor_of"
            )

    def on(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """(d,) the place on a mesh of (468, d) points, in their unit."""
        corners = np.asarray(points, np.float64)[triangles()[self.triangle]]
        return np.asarray(np.asarray(self.weights) @ corners, np.float64)


def anchor_of(point: NDArray[np.floating], face: Face) -> Anchor | None:
    """The anchor of a (2,) point in pixels of the face's picture.

    The nearest triangle that faces the camera and covers the point; up to REACH_MM outside the mesh (measured in the
    picture) the border triangle next to it, extrapolated. None beyond that, inside an open eye or mouth, and beside
    a border that is turned away.
    """
    place = np.asarray(point, np.float64)[:2]
    points = np.asarray(face.landmarks, np.float64)
    weights = _weights(place, points[filled_triangles(), :2])
    covering = (weights >= -1e-6).all(1) & (_facing(points) > 0)
    if not covering.any():
        return _outside(place, face, weights)
    depth = (weights * points[filled_triangles(), 2]).sum(1)
    chosen = int(np.argmin(np.where(covering, depth, np.inf)))
    return _anchor(chosen, weights[chosen]) if chosen < len(triangles()) else None


def place(anchor: Anchor, face: Face) -> NDArray[np.float32]:
    """(2,) pixels of the face's picture where the anchor lies, hidden or not."""
    return anchor.on(face.landmarks[:, :2]).astype(np.float32)


def is_visible(anchor: Anchor, face: Face) -> bool:
    """Whether the place is turned to the camera and no other part of the face, such as the nose, covers it.

    Hair, glasses and hats are not known here.
    """
    if facing(anchor, face) < LEAST_FACING:
        return False
    points = np.asarray(face.landmarks, np.float64)
    x, y, own = anchor.on(points)
    weights = _weights(np.array([x, y]), points[filled_triangles(), :2])
    depth = (weights * points[filled_triangles(), 2]).sum(1)
    nearer = (weights >= 0).all(1) & (depth < own - _COVER_MM / millimetres_per_pixel(face))
    return not bool(nearer.any())


def facing(anchor: Anchor, face: Face) -> float:
    """Cosine between the surface there and the camera: 1 head-on, 0 edge-on, below 0 turned away."""
    return float(_facing(np.asarray(face.landmarks, np.float64))[anchor.triangle])


def canonical(anchor: Anchor) -> NDArray[np.float64]:
    """(3,) millimetres on the canonical face: x right in the picture, y down, z away from the camera."""
    return anchor.on(mean_face()) * (PUPILS_MM / _eye_distance(mean_face()))


def millimetres_per_pixel(face: Face) -> float:
    """Length of a pixel on a surface seen head-on, in mm, with PUPILS_MM between the middles of the eyes.

    The distance is taken in the mesh's three dimensions, so a turn of the head does not shorten it (as far as the
    mesh's depth is right). Raises InputError when the eyes fall together.
    """
    distance = _eye_distance(face.landmarks)
    if not distance > 1e-3:
        raise InputError("face: expected two eyes apart, found a mesh without size; read the photo again")
    return PUPILS_MM / distance


def mirrored(anchor: Anchor) -> Anchor:
    """The anchor of the same place on the other side of the face.

    The mesh is mirror-symmetric but for a few triangles that cut their square along the other diagonal; there the
    place is carried over the canonical face.
    """
    corners = mirror_index()[triangles()[anchor.triangle]]
    twin = _triangle_of().get(frozenset(corners.tolist()))
    if twin is not None:
        weight = dict(zip(corners.tolist(), anchor.weights, strict=True))
        first, second, third = (weight[int(corner)] for corner in triangles()[twin])
        return Anchor(twin, (first, second, third))
    return _nearest(anchor.on(mean_face()) * [-1, 1, 1])


def place_by_affine(point: NDArray[np.floating], source: Points, target: Points) -> NDArray[np.float32]:
    """(2,) where a (2,) point of the source goes, by the affine of the three landmarks nearest to it.

    source, target: (n, 2) or (n, 3) landmarks of the two faces, pixels; z is not used. Landmarks nearly on one line
    make no affine: the third is then the next nearest that does. Raises InputError when none does.
    """
    place = np.asarray(point, np.float64)[:2]
    ours, theirs = (np.asarray(points, np.float64)[:, :2] for points in (source, target))
    order = np.argsort(((ours - place) ** 2).sum(1), kind="stable")
    for third in order[2:]:
        chosen = [order[0], order[1], third]
        if _roundness(ours[chosen]) > 0.1:
            return np.asarray(_weights(place, ours[chosen][None])[0] @ theirs[chosen], np.float32)
    raise InputError(f"landmarks: expected three that are not on a line, found {len(ours)}; read the face again")


def _outside(point: NDArray[np.float64], face: Face, weights: NDArray[np.float64]) -> Anchor | None:
    points = np.asarray(face.landmarks, np.float64)
    edges, owners = _border()
    start, end = points[edges[:, 0], :2], points[edges[:, 1], :2]
    along = ((point - start) * (end - start)).sum(1) / np.maximum(((end - start) ** 2).sum(1), 1e-12)
    gaps = np.linalg.norm(start + np.clip(along, 0, 1)[:, None] * (end - start) - point, axis=1)
    nearest = int(np.argmin(gaps))
    owner = int(owners[nearest])
    if gaps[nearest] * millimetres_per_pixel(face) > REACH_MM or _facing(points)[owner] < LEAST_FACING:
        return None
    return _anchor(owner, weights[owner])


def _anchor(triangle: int, weights: NDArray[np.float64]) -> Anchor:
    first, second, third = (float(weight) for weight in weights)
    return Anchor(triangle, (first, second, third))


def _weights(point: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) barycentric weights of a (2,) point in (n, 3, 2) triangles; NaN in a triangle seen edge-on."""
    one, two, to = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], point - corners[:, 0]
    area = _cross(one, two)
    area = np.where(np.abs(area) > 1e-9, area, np.nan)
    second, third = _cross(to, two) / area, _cross(one, to) / area
    return np.stack([1 - second - third, second, third], axis=1)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], np.float64)


def _facing(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) cosine to the camera of every filled triangle of a (468, 3) mesh."""
    corners = points[oriented_triangles()]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(-normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-9), np.float64)


def _eye_distance(points: NDArray[np.floating]) -> float:
    """Between the means of the eyes' rings, in the unit of the (468, 3) points. The mesh has no pupils of its own."""
    apart = points[list(LEFT_EYE_RING)].mean(0) - points[list(RIGHT_EYE_RING)].mean(0)
    return float(np.linalg.norm(apart))


def _roundness(corners: NDArray[np.float64]) -> float:
    """Twice the area of a (3, 2) triangle over its longest squared side: 0 on a line, 0.87 equilateral."""
    sides = corners - np.roll(corners, 1, axis=0)
    return float(abs(_cross(sides[0], sides[1])) / max((sides**2).sum(1).max(), 1e-12))


@cache
def _border() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(36, 2) edges of the mesh's outline, and the triangle that each belongs to."""
    owned = [(edge, row) for row, face in enumerate(filled_triangles()) for edge in zip(face, np.roll(face, 1))]
    times = Counter(frozenset(map(int, edge)) for edge, _ in owned)
    single = [(edge, row) for edge, row in owned if times[frozenset(map(int, edge))] == 1]
    return np.array([edge for edge, _ in single], np.int32), np.array([row for _, row in single], np.int32)


@cache
def _triangle_of() -> dict[frozenset[int], int]:
    return {frozenset(face.tolist()): row for row, face in enumerate(triangles())}


def _nearest(position: NDArray[np.float64]) -> Anchor:
    """The anchor on the mean face next to a (3,) position in its millimetres; weights are cut off at the edges."""
    corners = mean_face().astype(np.float64)[triangles()]
    system = np.concatenate([corners.transpose(0, 2, 1), np.full((len(corners), 1, 3), 1e3)], axis=1)
    weights = np.clip(np.linalg.pinv(system) @ np.append(position, 1e3), 0, None)
    weights /= weights.sum(1, keepdims=True)
    gaps = np.linalg.norm((weights[:, :, None] * corners).sum(1) - position, axis=1)
    best = int(np.argmin(gaps))
    return _anchor(best, weights[best])
