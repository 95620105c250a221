"""Turn the light on the sitter's skin into the template's.

Lightness over the mesh normals is fitted with second-order spherical harmonics for both faces; the difference of the
two fits, a smooth field over the target mesh, is added to the sitter's lightness. Colour is matched by statistics.
Source: Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import vertex_normals
from portraitist.types import Points

_RIDGE = 6.0


def harmonics(normals: NDArray[np.floating]) -> NDArray[np.float32]:
    """(..., 9) real spherical harmonics up to order two of (..., 3) normals, without their constants (the fit absorbs
    them)."""
    x, y, z = np.moveaxis(np.asarray(normals, np.float32), -1, 0)
    return np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], axis=-1)


def fit_shading(
    lightness: NDArray[np.floating], weight: NDArray[np.floating], normals: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(9,) coefficients of lightness (n,) over normals (n, 3).

    Robust (Huber, five rounds); higher orders are held by a ridge.
    """
    basis, values = harmonics(normals).astype(np.float64), np.asarray(lightness, np.float64)
    ridge = np.diag([0.0, 1, 1, 1, 3, 3, 3, 3, 3]) * _RIDGE
    base = np.asarray(weight, np.float64)
    w: NDArray[np.float64] = base
    coefficients: NDArray[np.float64] = np.zeros(9)
    for _ in range(5):
        coefficients = np.asarray(
            np.linalg.solve((basis * w[:, None]).T @ basis + ridge + 1e-6 * np.eye(9), (basis * w[:, None]).T @ values),
            np.float64,
        )
        residual = np.abs(values - basis @ coefficients)
        w = base * np.minimum(1.0, 4.0 / np.maximum(residual, 1e-6))
    return coefficients


def sample_vertices(field: NDArray[np.float32], points: Points) -> NDArray[np.float32]:
    """(468, ...) values of a picture-sized field at the vertices, edges replicated."""
    map_x, map_y = points[:, 0].reshape(-1, 1).astype(np.float32), points[:, 1].reshape(-1, 1).astype(np.float32)
    return np.asarray(cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)[
        :, 0
    ]


def shading_difference(
    template_lab: NDArray[np.float32],
    template_skin: NDArray[np.float32],
    sitter_lab: NDArray[np.float32],
    sitter_skin: NDArray[np.float32],
    mesh: Points,
) -> NDArray[np.float32]:
    """(468,) lightness to add to the warped sitter at each vertex of `mesh`, in L* units.

    Both pictures are already in the target's frame, so that one set of normals serves both.
    """
    normals = vertex_normals(mesh)
    blur = max(1, round(float(np.ptp(mesh[:, 0])) / 20)) | 1
    fits = []
    for lab, skin in ((template_lab, template_skin), (sitter_lab, sitter_skin)):
        weight = sample_vertices(skin, mesh).reshape(-1) * (normals[:, 2] < -0.1)
        mass = cv2.blur(skin, (blur, blur))
        smooth = cv2.blur(lab[..., 0] * skin, (blur, blur)) / np.maximum(mass, 1e-3)
        fits.append(fit_shading(sample_vertices(smooth, mesh).reshape(-1), weight, normals))
    # Behind the terminator the basis extrapolates: hold the normals to the side that was seen.
    basis = harmonics(_turned_to_camera(normals))
    return np.asarray(basis @ (fits[0] - fits[1]), np.float32)


def _turned_to_camera(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    held = normals.copy()
    held[:, 2] = np.minimum(held[:, 2], -0.25)
    return np.asarray(held / np.linalg.norm(held, axis=1, keepdims=True), np.float32)
