"""Carry a face's pixels from one mesh to another: a piecewise affine warp over the mesh's triangles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import filled_triangles, vertex_normals
from portraitist.types import Image, Mask, Points

_JUMP = 6.0
"""Pixels between the sources of two neighbours from which on they are two parts of the face, one before the other."""

_FINER = 1.3
"""Source pixels a target pixel that a warp picks from. Against 1 it keeps 1.3 times the energy of the finest skin
detail (tune, 20 portraits), and no pattern was seen in them."""


def triangle_map(target: Points, size: tuple[int, int]) -> NDArray[np.int32]:
    """(h, w) index of the triangle that covers each pixel, -1 where none does. Near triangles win over far ones."""
    faces = filled_triangles()
    order = np.argsort(-target[faces, 2].mean(1))
    index = np.full(size, -1, np.int32)
    corners = np.round(target[faces, :2] * 16).astype(np.int32)
    for face in order:
        cv2.fillConvexPoly(index, corners[face], int(face), cv2.LINE_8, 4)
    return index


def warp_map(source: NDArray[np.floating], target: Points, index: NDArray[np.int32]) -> NDArray[np.float32]:
    """(h, w, c) values of `source` (468, c) interpolated over the target's triangles; NaN outside the mesh."""
    faces = filled_triangles()
    forward = _barycentric_matrices(target[faces, :2].astype(np.float64))
    y, x = np.nonzero(index >= 0)
    chosen = index[y, x]
    homogeneous = np.column_stack([x, y, np.ones(len(x))])
    weights = np.einsum("nij,nj->ni", forward[chosen], homogeneous)
    values = np.full((*index.shape, source.shape[1]), np.nan, np.float32)
    values[y, x] = np.einsum("ni,nic->nc", weights, np.asarray(source, np.float64)[faces[chosen]])
    return values


def _barycentric_matrices(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3, 3) matrices that turn (x, y, 1) into barycentric weights; degenerate triangles give equal weights."""
    system = np.concatenate([corners.transpose(0, 2, 1), np.ones((len(corners), 1, 3))], axis=1)
    flat = np.abs(np.linalg.det(system)) < 1e-3
    system[flat] = np.eye(3)
    matrices = np.linalg.inv(system)
    matrices[flat] = 0
    matrices[flat, :, 2] = 1 / 3
    return matrices


def warp_texture(image: Image, positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sample `image` at (h, w, 2) positions; pixels without a position (NaN) are filled from the nearest edge of the
    mesh. Returns float32 RGB in [0, 1]."""
    safe = np.nan_to_num(positions, nan=-1).astype(np.float32)
    flags, border = cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101
    sampled = cv2.remap(image, safe[..., 0], safe[..., 1], flags, borderMode=border)
    return np.asarray(sampled, np.float32) / np.float32(255)


def soften_silhouettes(front: NDArray[np.float32], positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3) the warped texture with the steps taken off where one part of the face ends before another, as the nose
    does before the cheek: each pixel there shows one side or the other, so the line is jagged.

    positions: (h, w, 2) where each pixel came from, NaN outside the mesh.
    """
    known = np.nan_to_num(positions, nan=-1e4)
    jumps = np.zeros(positions.shape[:2], np.uint8)
    for axis in (0, 1):
        step = np.abs(np.diff(known, axis=axis)).max(axis=-1)
        apart = ((step > _JUMP) & (step < 5e3)).astype(np.uint8)
        jumps |= np.pad(apart, ((0, 1), (0, 0)) if axis == 0 else ((0, 0), (0, 1)))
    near = cv2.GaussianBlur(cv2.dilate(jumps, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 1.0)[..., None]
    soft = cv2.GaussianBlur(cv2.medianBlur(front, 5), (0, 0), 1.0)
    return np.asarray(front + near * (soft - front), np.float32)


def facing(points: Points) -> NDArray[np.float32]:
    """(468, 1) how much each vertex looks at the camera: 0 edge-on or hidden, 1 head-on."""
    return np.asarray(np.clip(-vertex_normals(points)[:, 2:3], 0, 1), np.float32)


def mean_scale(source: Points, target: Points) -> float:
    """Target pixels for one source pixel, over the mesh."""
    spread = [np.sqrt(points[:, :2].var(0).sum()) for points in (source, target)]
    return float(spread[1] / max(spread[0], 1e-6))


def prefiltered(image: Image, scale: float) -> tuple[Image, float]:
    """Shrink (area filter) before a warp that shrinks to `scale`, so pores do not alias: the picture and its factor.

    A little is left for the warp itself (`_FINER`): two filters at the size of a pixel take the pores away.
    """
    wanted = _FINER * scale
    if wanted >= 0.9:
        return image, 1.0
    size = max(1, round(image.shape[1] * wanted)), max(1, round(image.shape[0] * wanted))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), size[0] / image.shape[1]


def coverage(index: NDArray[np.int32]) -> Mask:
    """1 where a triangle covers the pixel."""
    return (index >= 0).astype(np.float32)
