"""Plane and space transforms. Matrices act on column vectors; 2-D ones are (2, 3) as OpenCV takes them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image, Points

Matrix = NDArray[np.float64]


def fit_within(image: Image, max_side: int) -> Image:
    """Shrink so that the longer side is at most `max_side` (area filter); never enlarges."""
    h, w = image.shape[:2]
    if max(h, w) <= max_side:
        return image
    factor = max_side / max(h, w)
    size = max(1, round(w * factor)), max(1, round(h * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), image.dtype)


def similarity(
    source: NDArray[np.floating], target: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> tuple[float, Matrix, Matrix]:
    """Scale s, rotation R, translation t minimising sum w |s R x + t - y|^2, in two or three dimensions.

    Shapes: source, target (n, d); weights (n,). Returns s, R (d, d), t (d,). Never mirrors.
    Source: Umeyama, "Least-squares estimation of transformation parameters", PAMI 1991, eq. 40-43.
    """
    x, y = np.asarray(source, np.float64), np.asarray(target, np.float64)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum()
    mean_x, mean_y = w @ x, w @ y
    cx, cy = x - mean_x, y - mean_y
    u, d, vt = np.linalg.svd((cy * w[:, None]).T @ cx)
    sign = np.ones(x.shape[1])
    sign[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / max((w @ (cx**2)).sum(), 1e-12))
    return scale, rotation, mean_y - scale * rotation @ mean_x


def similarity_matrix(
    source: NDArray[np.floating], target: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> Matrix:
    """The 2-D similarity of `similarity` as a (2, 3) matrix for `cv2.warpAffine`."""
    scale, rotation, translation = similarity(source[:, :2], target[:, :2], weights)
    return np.hstack([scale * rotation, translation[:, None]])


def apply(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Transform (n, 2) or (n, 3) points by a (2, 3) matrix; z, where present, is scaled by the mean scale."""
    m = np.asarray(matrix, np.float64)
    xy = points[:, :2] @ m[:, :2].T + m[:, 2]
    if points.shape[1] == 2:
        return xy.astype(np.float32)
    scale = np.sqrt(abs(np.linalg.det(m[:, :2])))
    return np.column_stack([xy, points[:, 2] * scale]).astype(np.float32)


def invert(matrix: NDArray[np.floating]) -> Matrix:
    """Inverse of a (2, 3) matrix."""
    return np.asarray(cv2.invertAffineTransform(np.asarray(matrix, np.float64)), np.float64)


def square_crop(centre: NDArray[np.floating], side: float, angle: float, size: int) -> Matrix:
    """Matrix that maps a square of the photo (rotated by `angle` degrees, clockwise) onto a size x size crop."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    scale = size / side
    rotation = scale * np.array([[c, s], [-s, c]])
    return np.hstack([rotation, (np.full(2, size / 2) - rotation @ np.asarray(centre, np.float64)[:2])[:, None]])


def bounding_box(points: Points) -> NDArray[np.float32]:
    """(4,) xyxy of the points."""
    return np.concatenate([points[:, :2].min(0), points[:, :2].max(0)]).astype(np.float32)


def box_overlap(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Intersection over union of two xyxy boxes, in [0, 1]."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inner = float(np.prod(np.clip(high - low, 0, None)))
    outer = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - inner
    return inner / outer if outer > 0 else 0.0


def rotation_from_angles(yaw: float, pitch: float, roll: float) -> Matrix:
    """Rotation (3, 3) of a head for the angles of `types.Pose` (x right, y down, z away from the camera).

    R = Rz(roll) Rx(pitch) Ry(yaw): the head turns about its own axis first, then nods, then tilts in the picture.
    """
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    rotation: Matrix = about_z @ about_x @ about_y
    return rotation


def angles_from_rotation(rotation: NDArray[np.floating]) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in degrees: the inverse of `rotation_from_angles` for |pitch| < 90."""
    r = np.asarray(rotation, np.float64)
    pitch = np.degrees(np.arcsin(np.clip(-r[2, 1], -1, 1)))
    yaw = np.degrees(np.arctan2(r[2, 0], r[2, 2]))
    roll = np.degrees(np.arctan2(-r[0, 1], r[1, 1]))
    return float(yaw), float(pitch), float(roll)
