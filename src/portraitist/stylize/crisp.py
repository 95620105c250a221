"""Flat drawings enlarged with crisp borders: what a small translator paints, at a side a student can learn from.

Source: Weickert, "Coherence-enhancing shock filters", DAGM 2003: from both sides of a border colours grow until they
meet, one pixel at a time, where the border is told by the curvature of brightness across it. Comaniciu and Meer, "Mean
shift", PAMI 2002: before that, places of about one colour become of one colour.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.stylize.tangents import tangents_of
from portraitist.types import Image

_SOFT = 0.6
"""Deviation of the blur before curvatures are taken, in pixels of the small picture."""
_REACH, _ALIKE, _COLOUR = 20, 40, 0.45
"""Of mean shift: pixels of a picture twice as large; how far colours of one place may lie apart in 8-bit CIE Lab; what
a step of colour counts beside one of lightness: a translator's stray tints are no borders."""
_GROWN = 1.5
"""Times that colours grow, for each pixel that a pixel of the small picture becomes."""


def enlarged_crisply(picture: Image, side: int) -> Image:
    """(h, h, 3) at `side` x `side`. Borders between colours of one brightness stay as soft as they were enlarged.

    >>> half = np.zeros((8, 8, 3), np.uint8)
    >>> half[:, 4:] = 200
    >>> len(np.unique(enlarged_crisply(half, 64)[32, :, 0])) < len(np.unique(cv2.resize(half, (64, 64))[32, :, 0]))
    True
    """
    factor = side / len(picture)
    raised = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
    for _ in range(math.ceil(_GROWN * factor)):
        bends_down = (_curvature(raised, _SOFT * factor) < 0)[..., None]
        raised = (raised + np.where(bends_down, cv2.dilate(raised, None), cv2.erode(raised, None))) / 2
    return np.asarray(np.rint(raised), np.uint8)


def flattened(picture: Image) -> Image:
    """(h, w, 3): without the noise and the tints a translator leaves in flat colours; borders stay."""
    h, w = picture.shape[:2]
    twice = cv2.resize(np.ascontiguousarray(picture), (2 * w, 2 * h), interpolation=cv2.INTER_CUBIC)
    weights = np.array([1, _COLOUR, _COLOUR], np.float32)
    lab = (cv2.cvtColor(twice, cv2.COLOR_RGB2LAB).astype(np.float32) - 128) * weights + 128
    even = cv2.pyrMeanShiftFiltering(np.rint(lab).astype(np.uint8), _REACH, _ALIKE).astype(np.float32)
    back = np.clip((even - 128) / weights + 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(cv2.cvtColor(back, cv2.COLOR_LAB2RGB), (w, h), interpolation=cv2.INTER_AREA), np.uint8)


def _curvature(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """(h, w): second derivative of brightness across the border that runs through each pixel."""
    plane = np.asarray(cv2.GaussianBlur(picture.mean(axis=2), (0, 0), sigma), np.float32)
    along = tangents_of(plane, 2 * sigma)
    xx, xy, yy = (cv2.Sobel(plane, cv2.CV_32F, *orders) for orders in ((2, 0), (1, 1), (0, 2)))
    return np.asarray(along.y**2 * xx - 2 * along.x * along.y * xy + along.x**2 * yy, np.float32)
