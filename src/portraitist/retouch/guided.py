"""Guided upsampling: a matte solved on a small picture follows the edges of the large one.

Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013 (colour guide, eq. 19-21); solving on the small picture and
interpolating the coefficients is He & Sun, "Fast Guided Filter", 2015.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image, Mask


def guided_upsample(matte: Mask, small: Image, image: Image, *, radius: int = 1, epsilon: float = 1e-5) -> Mask:
    """The matte (h, w) of `small` at the size of `image`: alpha = a . I + b, a and b from windows of `small`.

    radius: half window in pixels of the small picture. epsilon: regulariser for colours in [0, 1].
    """
    slope, offset = _line_coefficients(matte, np.asarray(small / 255.0, np.float32), radius, epsilon)
    h, w = image.shape[:2]
    slope = cv2.resize(slope, (w, h), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(offset, (w, h), interpolation=cv2.INTER_LINEAR)
    guide = image.astype(np.float32) / 255
    return np.asarray(np.clip(np.einsum("hwc,hwc->hw", slope, guide) + offset, 0, 1), np.float32)


def _line_coefficients(
    matte: Mask, guide: NDArray[np.float32], radius: int, epsilon: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slopes (h, w, 3) and offsets (h, w) of the best line in each window, averaged over the windows of a pixel."""
    guide64, matte64 = np.asarray(guide, np.float64), np.asarray(matte, np.float64)
    mean, mean_matte = _box(guide64, radius), _box(matte64, radius)
    products = guide64[..., :, None] * guide64[..., None, :]
    products = np.asarray(products.reshape(*matte.shape, 9), np.float64)
    covariance = _box(products, radius).reshape(*matte.shape, 3, 3)
    covariance -= mean[..., :, None] * mean[..., None, :]
    covariance += epsilon * np.eye(3)
    weighted = np.asarray(guide64 * matte64[..., None], np.float64)
    cross = _box(weighted, radius) - mean * mean_matte[..., None]
    slope = np.asarray(np.linalg.solve(covariance, cross[..., None])[..., 0], np.float64)
    offset = np.asarray(mean_matte - (slope * mean).sum(axis=-1), np.float64)
    return _box(slope, radius).astype(np.float32), _box(offset, radius).astype(np.float32)


def _box(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    size = (2 * radius + 1, 2 * radius + 1)
    planes = values.reshape(*values.shape[:2], -1)
    parts = [
        cv2.blur(np.ascontiguousarray(planes[..., c]), size, borderType=cv2.BORDER_REFLECT)
        for c in range(planes.shape[2])
    ]
    return np.stack(parts, axis=-1).reshape(values.shape)
