"""Whether eyes are open. The mesh draws shut eyes open, so the iris network's eye contour has the last word.

Source: Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020
(arXiv:2006.11341), the iris landmark network of MediaPipe.
"""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.faces.pyramid import Pyramid
from portraitist.geometry import square_crop
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.types import Face
from portraitist.weights import fetch

_SIDE = 64
_MARGIN = 2.3
"""Side of the crop over the distance of the eye's corners."""
_CORNERS = ((33, 133, True), (362, 263, False))
"""Corners of each eye, and whether the crop is mirrored: the network knows one side."""
_RING = (*range(9), *range(15, 8, -1))
SHUT, OPEN = 0.08, 0.15
"""Contour area over squared width. On tune photos the one shut pair reads 0.064 and 0.076, a laughing pair 0.160 and
the other 44 people and photos at least 0.170."""
SMALLEST_FACE = 60.0
WIDEST_YAW = 35.0


class EyeNetwork:
    """Reads both eyes of a face."""

    def __init__(self, placement: Placement = Placement()) -> None:
        self._network = LiteNetwork(fetch("iris"), placement.threads)

    def openness(self, picture: Pyramid, face: Face) -> float | None:
        """The less open eye on [0, 1]; None for faces too small or too far turned to tell."""
        if face.width < SMALLEST_FACE or abs(face.pose.yaw) > WIDEST_YAW:
            return None
        least = min(self._opening(picture, face, *corners) for corners in _CORNERS)
        return float(np.clip((least - SHUT) / (OPEN - SHUT), 0, 1))

    def _opening(self, picture: Pyramid, face: Face, one: int, other: int, mirrored: bool) -> float:
        a, b = face.landmarks[one, :2], face.landmarks[other, :2]
        angle = float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0])))
        matrix = square_crop((a + b) / 2, _MARGIN * max(float(np.linalg.norm(b - a)), 1.0), angle, _SIDE)
        crop = picture.warp(matrix, _SIDE)
        crop = crop[:, ::-1] if mirrored else crop
        outputs = self._network(np.asarray(np.ascontiguousarray(crop)[None] / 255, np.float32))
        contour = max(outputs, key=lambda o: o.size).reshape(-1, 3)[list(_RING), :2]
        width = max(float(np.ptp(contour[:, 0])), 1e-3)
        return float(cv2.contourArea(np.ascontiguousarray(contour, np.float32))) / width**2
