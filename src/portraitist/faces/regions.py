"""Soft masks of the face's parts, drawn from the mesh. Hair and head come from matting, not from here.

Every mask is float32 (h, w) in [0, 1] for a picture of `size` (h, w) in the face's own pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces import topology
from portraitist.types import Face, Mask


def polygon_mask(size: tuple[int, int], rings: Iterable[NDArray[np.floating]]) -> Mask:
    """Filled polygons, antialiased. Each ring is (n, 2) pixels."""
    mask = np.zeros(size, np.uint8)
    shift = 4
    for ring in rings:
        cv2.fillPoly(mask, [np.round(ring[:, :2] * 2**shift).astype(np.int32)], 255, cv2.LINE_AA, shift)
    return np.asarray(mask, np.float32) / np.float32(255)


def _rings(face: Face, *rings: Sequence[int]) -> list[NDArray[np.float32]]:
    return [face.landmarks[list(ring), :2] for ring in rings]


def oval_mask(face: Face, size: tuple[int, int]) -> Mask:
    """The face oval: hairline to chin, ear to ear. For a turned face, the hull of what the mesh covers."""
    ring = cv2.convexHull(face.landmarks[:, :2].astype(np.float32)).reshape(-1, 2)
    return polygon_mask(size, [ring])


def lips_mask(face: Face, size: tuple[int, int]) -> Mask:
    """Both lips and the mouth opening."""
    return polygon_mask(size, _rings(face, topology.LIPS_OUTER))


def eyes_mask(face: Face, size: tuple[int, int]) -> Mask:
    """Both eye openings."""
    return polygon_mask(size, _rings(face, topology.LEFT_EYE_RING, topology.RIGHT_EYE_RING))


def brows_mask(face: Face, size: tuple[int, int]) -> Mask:
    """Both brows."""
    return polygon_mask(size, _rings(face, topology.LEFT_BROW_RING, topology.RIGHT_BROW_RING))


def skin_mask(face: Face, size: tuple[int, int]) -> Mask:
    """The oval without eyes, brows and lips, each grown by 4 % of the face width. Occluders are not removed."""
    parts = np.maximum.reduce([lips_mask(face, size), eyes_mask(face, size), brows_mask(face, size)])
    reach = max(1, round(0.04 * float(np.ptp(face.landmarks[:, 0]))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(np.clip(oval_mask(face, size) - cv2.dilate(parts, kernel), 0, 1), np.float32)
