"""Where the light on a face comes from: a linear fit of skin lightness over the mesh normals."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.faces.topology import LEFT_EYE_RING, LIPS_INNER, LIPS_OUTER, RIGHT_EYE_RING, vertex_normals
from portraitist.types import Face, Image, Light

_NOT_SKIN = (*LEFT_EYE_RING, *RIGHT_EYE_RING, *LIPS_INNER, *LIPS_OUTER)


def estimate_light(image: Image, face: Face) -> Light:
    """Least squares L* = a + b n_x + c n_y + d n_z over visible skin vertices (first-order spherical harmonics,
    Ramamoorthi and Hanrahan 2001). `face` is in pixels of `image`."""
    normals = vertex_normals(face.landmarks)
    seen = normals[:, 2] < -0.2
    seen[list(_NOT_SKIN)] = False
    x, y = np.round(face.landmarks[:, :2]).astype(int).T
    seen &= (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
    if seen.sum() < 20:
        return Light(50.0, (0.0, 0.0), 0.0)
    reach = max(1, int(face.width / 24)) | 1
    x0, y0, x1, y1 = x[seen].min(), y[seen].min(), x[seen].max() + 1, y[seen].max() + 1
    crop = cv2.blur(image[y0:y1, x0:x1], (reach, reach))
    colours = crop[y[seen] - y0, x[seen] - x0][None]
    lightness = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2LAB)[0, :, 0].astype(np.float64) / 2.55
    design = np.column_stack([np.ones(int(seen.sum())), normals[seen]])
    fit = np.linalg.lstsq(design.T @ design + np.diag([0, 1, 1, 1]), design.T @ lightness, rcond=None)[0]
    slope = fit[1:3]
    return Light(float(lightness.mean()), (float(slope[0]), float(slope[1])), float(np.linalg.norm(slope)))
