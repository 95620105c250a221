"""Laplacian pyramid blending.

Source: Burt and Adelson, "A multiresolution spline with application to image mosaics", ACM TOG 1983.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Layer = NDArray[np.float32]


def blend_multiband(front: Layer, back: Layer, mask: NDArray[np.float32], levels: int) -> Layer:
    """Blend two float32 (h, w, c) layers; `mask` (h, w) is 1 where `front` shows. Each frequency band crosses over a
    width of its own, so colours mix widely and pores do not. Range: that of the layers, slightly exceeded at edges."""
    levels = max(1, min(levels, int(np.log2(max(min(mask.shape), 2))) - 2))
    pyramid = [(front, back, mask)]
    for _ in range(levels):
        pyramid.append(tuple(cv2.pyrDown(layer) for layer in pyramid[-1]))
    top_front, top_back, top_mask = pyramid[-1]
    result = _mix(top_front, top_back, top_mask)
    for (fine_front, fine_back, fine_mask), (front_, back_, _mask) in zip(pyramid[-2::-1], pyramid[:0:-1], strict=True):
        size = fine_mask.shape[1], fine_mask.shape[0]
        detail = _mix(
            fine_front - cv2.pyrUp(front_, dstsize=size), fine_back - cv2.pyrUp(back_, dstsize=size), fine_mask
        )
        result = cv2.pyrUp(result, dstsize=size) + detail
    return np.asarray(result, np.float32)


def _mix(front: Layer, back: Layer, mask: NDArray[np.float32]) -> Layer:
    return np.asarray(back + mask[..., None] * (front - back), np.float32)
