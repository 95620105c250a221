"""How soft a picture is, so that nothing sharper is put into it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.retouch.colour import luminance, to_lab
from portraitist.types import Face, Image

_AGAIN = 1.5
"""Deviation of the second blur, pixels."""
_EDGES = 99.0
"""Percentile of the gradient above which a pixel is an edge: lashes, brows, the line between the lips."""
SOFTEST = 6.0


def blur_of(image: Image, face: Face) -> float:
    """Deviation in pixels of the blur of a face's sharpest edges, 0 to SOFTEST; 0 where it has none.

    A step edge of blur s, blurred again by t, loses its gradient by R = sqrt(s^2 + t^2) / s. Source: Zhuo and Sim,
    "Defocus map estimation from a single image", 2011, eq. 4-6.
    """
    x0, y0, x1, y1 = (round(float(v)) for v in _around(face, image))
    if x1 - x0 < 16 or y1 - y0 < 16:
        return 0.0
    light = luminance(to_lab(np.ascontiguousarray(image[y0:y1, x0:x1]))[..., 0])
    once, again = _gradient(light), _gradient(cv2.GaussianBlur(light, (0, 0), _AGAIN))
    chosen = once > max(float(np.percentile(once, _EDGES)), 0.01)
    if not chosen.any():
        return 0.0
    ratio = float(np.percentile(once[chosen] / np.maximum(again[chosen], 1e-6), 75))
    # A central difference over two pixels blurs by itself: its variance is 1 / 2 at most on a step.
    variance = _AGAIN**2 / max(ratio**2 - 1, 1e-3) - 0.5
    return float(np.clip(np.sqrt(max(variance, 0.0)), 0, SOFTEST))


def _around(face: Face, image: Image) -> tuple[float, float, float, float]:
    low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
    return max(low[0], 0), max(low[1], 0), min(high[0], image.shape[1]), min(high[1], image.shape[0])


def _gradient(light: NDArray[np.float32]) -> NDArray[np.float32]:
    kernel = np.array([[-0.5, 0, 0.5]], np.float32)
    across, down = cv2.filter2D(light, -1, kernel), cv2.filter2D(light, -1, kernel.T)
    return np.asarray(np.hypot(across, down), np.float32)
