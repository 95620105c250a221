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

from portraitist.compose.light import harmonics
from portraitist.compose.texture import triangle_map, warp_map
from portraitist.faces.regions import polygon_mask, skin_mask
from portraitist.faces.topology import vertex_normals
from portraitist.retouch.colour import to_lab
from portraitist.types import Face, Image

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SkinModel:
    """lab: (h, w, 3) of the view, L 0-100. expected: (h, w, 3) of bare skin. spread: (3,) robust deviation of the
    residual over the sampled skin."""

    lab: Values
    expected: Values
    spread: Values
    frontal: Values

    @property
    def residual(self) -> Values:
        """(h, w, 3) seen minus expected."""
        return self.lab - self.expected


def fit_skin(image: Image, face: Face) -> SkinModel:
    """Fit in two rounds: the middle of the face with four terms, then all skin like it with nine.

    Only the part from the brows down is sampled: what lies above may be hair.
    """
    size = image.shape[0], image.shape[1]
    lab = cv2.GaussianBlur(to_lab(image), (0, 0), 1.0)
    normals = _normals(face, size)
    basis = harmonics(normals).reshape(-1, 9)
    flat = lab.reshape(-1, 3)
    wide = _sample(face, size, lab)
    core = wide & (polygon_mask(size, [_core_ring(face)]) > 0.5)
    rows = np.flatnonzero(core if core.sum() > 0.25 * wide.sum() else wide)[::5]
    first = _expected(_fit(basis[rows], flat[rows], (4, 4, 4)), basis)
    rest = flat - first
    unit = np.maximum(1.4826 * np.median(np.abs(rest[rows]), 0), (5.0, 2.0, 2.5)) * 3.5
    alike = wide.ravel() & (((rest / unit) ** 2).sum(-1) < 1.5)
    rows = np.flatnonzero(alike)[::7] if alike.sum() > 300 else rows
    expected = _expected(_fit(basis[rows], flat[rows], (9, 4, 4)), basis)
    spread = 1.4826 * np.median(np.abs(flat[rows] - expected[rows]), 0)
    return SkinModel(lab, expected.reshape(lab.shape), spread.astype(np.float32), np.clip(-normals[..., 2], 0, 1))


def _sample(face: Face, size: tuple[int, int], lab: Values) -> NDArray[np.bool_]:
    """Pixels that may be skin: the mesh's skin below the brows, without the blues and greens no skin has."""
    sample = skin_mask(face, size) > 0.9
    sample[: max(0, int(face.landmarks[[105, 334], 1].mean()))] = False
    possible = sample & ~unlike_any_skin(lab)
    return possible if possible.sum() > 0.15 * sample.sum() else sample


def unlike_any_skin(lab: Values) -> NDArray[np.bool_]:
    """(h, w) clearly coloured, with a hue no skin has in any usual light: outside -10 to 95 degrees in the ab plane."""
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    return (np.hypot(lab[..., 1], lab[..., 2]) > 9) & ((hue < -10) | (hue > 95))


def _core_ring(face: Face) -> Values:
    """The middle of the face: nose, inner cheeks and chin, clear of side hair."""
    hull = cv2.convexHull(
        face.landmarks[[123, 352, 50, 280, 205, 425, 199, 6, 143, 372], :2].astype(np.float32)
    ).reshape(-1, 2)
    nose = face.landmarks[4, :2]
    return np.asarray(nose + (hull - nose) * 0.85, np.float32)


def _fit(basis: Values, seen: Values, terms: tuple[int, ...]) -> list[NDArray[np.float64]]:
    return [_robust_fit(basis[:, :n], seen[:, c]) for c, n in enumerate(terms)]


def _expected(columns: list[NDArray[np.float64]], basis: Values) -> Values:
    return np.stack([basis[:, : len(k)] @ k for k in columns], -1).astype(np.float32)


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
    smooth = cv2.blur(known[nearest], (5, 5))
    return np.asarray(cv2.resize(smooth, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _robust_fit(basis: Values, seen: Values, delta: float = 1.5) -> NDArray[np.float64]:
    """Ridge least squares with Huber weights; `delta` in robust deviations."""
    b, y = basis.astype(np.float64), seen.astype(np.float64)
    ridge = np.diag([0.0] + [0.01 * len(y)] * (b.shape[1] - 1))
    weights = np.ones(len(y))
    for _ in range(8):
        k = np.linalg.solve((b * weights[:, None]).T @ b + ridge, (b * weights[:, None]).T @ y)
        rest = np.abs(y - b @ k)
        weights = np.minimum(1, delta * 1.4826 * np.median(rest) / np.maximum(rest, 1e-6)) ** 2
    return np.asarray(k, np.float64)
