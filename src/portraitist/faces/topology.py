"""The mesh's fixed facts: triangles, mirror pairs, our mean face, and named rings of vertices.

`mesh_template.npz` is made by `recipes/mesh/make_template.py`. Left and right are the sitter's own.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# fmt: off
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
        176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
LEFT_EYE_RING = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_EYE_RING = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LEFT_BROW_RING = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
RIGHT_BROW_RING = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
# fmt: on
CHIN, FOREHEAD = 152, 10
RIGID = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127, 356, 234, 454, 116, 345, 50, 280, 54, 284)
"""Vertices that expression moves little: forehead, nose bridge, eye corners, temples, cheekbones."""


@cache
def _template() -> dict[str, NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("mesh_template.npz")) as stored:
        return {name: stored[name] for name in stored.files}


def mean_face() -> NDArray[np.float32]:
    """(468, 3) mean face in millimetres: x right in the picture, y down, z away from the camera."""
    return np.asarray(_template()["mean"], np.float32)


def triangles() -> NDArray[np.int32]:
    """(852, 3) vertex indices. Eye and mouth openings have no triangles."""
    return np.asarray(_template()["triangles"], np.int32)


def mirror_index() -> NDArray[np.int32]:
    """(468,) index of each vertex's mirror image."""
    return np.asarray(_template()["mirror"], np.int32)


@cache
def filled_triangles() -> NDArray[np.int32]:
    """(n, 3) triangles with the eye and mouth openings closed by strips, so that a warp has no holes."""
    strips = [_strip(ring) for ring in (LEFT_EYE_RING, RIGHT_EYE_RING, LIPS_INNER)]
    return np.concatenate([triangles(), *strips]).astype(np.int32)


def _strip(ring: tuple[int, ...]) -> NDArray[np.int32]:
    """Triangulate a thin ring from one corner to the other: lower and upper chain zipped together."""
    half = len(ring) // 2
    lower, upper = ring[: half + 1], (ring[0], *ring[:half:-1], ring[half])
    pairs = list(zip(lower, upper, strict=True))
    faces = []
    for (a, b), (c, d) in pairwise(pairs):
        faces += [(a, c, b)] if a != b and c == d else [(a, c, d), (a, d, b)] if a != b else [(a, c, d)]
    return np.array(faces, np.int32)


def vertex_normals(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(468, 3) unit normals that point out of the face (towards the camera where z < 0).

    Area-weighted mean of the triangle normals; each triangle is oriented once, on the mean face.
    """
    corners = np.asarray(points, np.float32)[oriented_triangles()]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(points), 3), np.float32)
    for corner in range(3):
        np.add.at(normals, oriented_triangles()[:, corner], faces)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32)


@cache
def oriented_triangles() -> NDArray[np.int32]:
    """`filled_triangles`, row by row, corners in the order whose cross product points out of the face."""
    mean, faces = mean_face(), filled_triangles().copy()
    a, b, c = (mean[faces[:, i]] for i in range(3))
    outward = (a + b + c) / 3 - mean.mean(0) - [0, 0, 60]
    flip = (np.cross(b - a, c - a) * outward).sum(1) < 0
    faces[flip] = faces[flip][:, [0, 2, 1]]
    return faces
