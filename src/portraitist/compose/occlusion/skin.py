"""What bare skin would look like at each pixel: colour as a smooth function of the surface normal.

Lambertian light from any surroundings is, to about 1 %, a quadratic in the normal, so lightness gets the nine
harmonics and the two colour axes the first four. The fit is robust: hair, frames and brows are outliers of it.

Source: Basri and Jacobs, "Lambertian reflectance and linear subspaces", PAMI 2003; Huber weights by iterated least
squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.texture import triangle_map, warp_map
from portraitist.faces.regions import skin_mask
from portraitist.faces.topology import vertex_normals
from portraitist.types import Face, Image

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SkinModel:
    """lab: (h, w, 3) of the view, L 0-100. expected: (h, w, 3) of bare skin. spread: (3,) robust deviation of the
    residual over the sampled skin."""

    lab: Values
    expected: Values
    spread: Values

    @property
    def residual(self) -> Values:
        """(h, w, 3) seen minus expected."""
        return self.lab - self.expected


def to_lab(image: Image) -> Values:
    """CIE LAB, L in 0-100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def fit_skin(image: Image, face: Face) -> SkinModel:
    """Fit to the skin of the view's face, from the brows down: what lies above may be hair."""
    size = image.shape[0], image.shape[1]
    lab = cv2.GaussianBlur(to_lab(image), (0, 0), 1.0)
    basis = _harmonics(_normals(face, size))
    low = float(face.landmarks[[105, 334], 1].mean())
    sample = skin_mask(face, size) > 0.9
    sample[: max(0, int(low))] = False
    rows = np.flatnonzero(sample)[::7]
    chosen, seen = basis.reshape(-1, 9)[rows], lab.reshape(-1, 3)[rows]
    columns = [_robust_fit(chosen[:, :n], seen[:, c]) for c, n in enumerate((9, 4, 4))]
    expected = np.stack([basis[..., : len(k)] @ k for k in columns], -1).astype(np.float32)
    rest = seen - expected.reshape(-1, 3)[rows]
    spread = 1.4826 * np.median(np.abs(rest - np.median(rest, 0)), 0)
    return SkinModel(lab, expected, spread.astype(np.float32))


def _normals(face: Face, size: tuple[int, int]) -> Values:
    """(h, w, 3) normals; beyond the mesh those of the nearest edge."""
    normals = vertex_normals(face.landmarks)
    small = size[0] // 2, size[1] // 2
    points = face.landmarks * np.float32(0.5)
    values = warp_map(normals, points, triangle_map(points, small))
    hole = np.isnan(values[..., 0])
    _, nearest = cv2.distanceTransformWithLabels(hole.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    known[nearest[~hole]] = values[~hole]
    return np.asarray(cv2.resize(cv2.blur(known[nearest], (5, 5)), size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _harmonics(n: Values) -> Values:
    x, y, z = n[..., 0], n[..., 1], n[..., 2]
    return np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], -1)


def _robust_fit(basis: Values, seen: Values, delta: float = 1.5) -> NDArray[np.float64]:
    """Ridge least squares with Huber weights; `delta` in robust deviations."""
    b, y = basis.astype(np.float64), seen.astype(np.float64)
    ridge = np.diag([0.0] + [0.01 * len(y)] * (b.shape[1] - 1))
    weights = np.ones(len(y))
    for _ in range(8):
        k = np.linalg.solve((b * weights[:, None]).T @ b + ridge, (b * weights[:, None]).T @ y)
        rest = np.abs(y - b @ k)
        weights = np.minimum(1, delta * 1.4826 * np.median(rest) / np.maximum(rest, 1e-6)) ** 2
    return k
