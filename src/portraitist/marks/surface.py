"""How the skin around an anchor lies in a picture: the frame that patches are cut in, and drawn through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.pose import fit_head
from portraitist.faces.topology import triangles, vertex_normals
from portraitist.geometry import Matrix
from portraitist.marks.anchor import Anchor, millimetres_per_pixel, place
from portraitist.types import Face

PATCH_SPAN = 3.0
"""Side of a patch in diameters of its mark: the mark in the middle, a diameter of skin on each side."""
PATCH_SIDE = (16, 96)
"""Least and most pixels of a patch's side."""


def skin_frame(anchor: Anchor, face: Face) -> NDArray[np.float64]:
    """(2, 2) from millimetres on the skin laid flat (right, down the face) to pixels of the face's picture.

    The tangent plane of the mesh there, seen from the camera: a disc on a cheek that turns away is an ellipse.
    Normals are those of the vertices, smoothed over their triangles: the mesh is too rough for one triangle's own.
    """
    normal = np.asarray(anchor.weights) @ vertex_normals(face.landmarks)[triangles()[anchor.triangle]]
    normal /= max(float(np.linalg.norm(normal)), 1e-9)
    _, rotation, _ = fit_head(face.landmarks)
    down = rotation[:, 1] - (rotation[:, 1] @ normal) * normal
    if np.linalg.norm(down) < 0.2:
        # Under the chin the face's own down points out of the skin; there the way on is backwards.
        down = rotation[:, 2] - (rotation[:, 2] @ normal) * normal
    down /= np.linalg.norm(down)
    right = np.cross(normal, down)
    return np.stack([right[:2], down[:2]], axis=1) / millimetres_per_pixel(face)


def patch_matrix(
    anchor: Anchor, face: Face, diameter_mm: float, side: int, at: NDArray[np.floating] | None = None
) -> Matrix:
    """(2, 3) from pixels of a patch, `side` across, to pixels of the picture.

    The patch shows PATCH_SPAN diameters of skin, flat and upright, and its middle lies on `at`, or on the anchor.
    Cut one with `cv2.warpAffine(picture, matrix, (side, side), flags=INTER_CUBIC | WARP_INVERSE_MAP)`.
    """
    middle = place(anchor, face) if at is None else at
    return patch_onto(skin_frame(anchor, face), middle, diameter_mm, side)


def patch_onto(frame: NDArray[np.float64], middle: NDArray[np.floating], diameter_mm: float, side: int) -> Matrix:
    """(2, 3) from pixels of a patch to pixels of the picture, its middle on (2,) `middle`. frame: of `skin_frame`."""
    turn = frame * (PATCH_SPAN * diameter_mm / side)
    # Pixel centres are whole numbers in both, so the patch's middle is at (side - 1) / 2.
    return np.column_stack([turn, np.asarray(middle, np.float64) - turn @ np.full(2, (side - 1) / 2)])


def patch_side(diameter_px: float) -> int:
    """Pixels across of a patch that loses nothing of a mark of this diameter, within PATCH_SIDE."""
    return int(np.clip(np.ceil(1.25 * PATCH_SPAN * diameter_px), *PATCH_SIDE))
