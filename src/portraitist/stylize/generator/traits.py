"""What edits are named after, measured on the mesh of a face: eye size, iris, lips, skin tone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.expression import in_head_frame
from portraitist.faces.reader import FaceReader
from portraitist.faces.regions import eyes_mask, skin_mask
from portraitist.faces.topology import LEFT_EYE_RING, LIPS_INNER, LIPS_OUTER, RIGHT_EYE_RING
from portraitist.types import Face, Image

TRAITS = ("eye_size", "iris", "lips", "skin_tone")
LEAST_SIDE = 256
"""Smaller pictures are enlarged: the mesh network looks at 192 px."""
_CHEEKS = (234, 454)


@dataclass(frozen=True)
class FaceTraits:
    """Measures a picture of one face.

    eye_size: area of both eye openings over the squared width of the face, in percent. lips: the same of the lips
    without the mouth's opening. iris: lightness L* of the darkest quarter of the eye openings. skin_tone: the
    individual typology angle of the median skin colour in degrees, arctan((L* - 50) / b*) (Chardon et al. 1991):
    lighter is larger.
    """

    reader: FaceReader

    def __call__(self, image: Image) -> dict[str, float] | None:
        """By name; None where no face is found. image: (h, w, 3)."""
        factor = max(1.0, LEAST_SIDE / image.shape[0])
        large = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        faces = self.reader.read(np.asarray(large, np.uint8), embed=False)
        if not faces:
            return None
        return traits_of(np.asarray(large, np.uint8), max(faces, key=lambda face: face.width))


def traits_of(image: Image, face: Face) -> dict[str, float]:
    """Of a face in pixels of `image`."""
    head = in_head_frame(face.landmarks)
    square = float(np.linalg.norm(head[_CHEEKS[1]] - head[_CHEEKS[0]])) ** 2 / 100
    eyes = _area(head, LEFT_EYE_RING) + _area(head, RIGHT_EYE_RING)
    lips = _area(head, LIPS_OUTER) - _area(head, LIPS_INNER)
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    seen = lab[skin_mask(face, image.shape[:2]) > 0.5]
    lightness, _, yellow = np.median(seen, axis=0) if len(seen) else (50.0, 0.0, 10.0)
    openings = lab[..., 0][eyes_mask(face, image.shape[:2]) > 0.5]
    dark = np.sort(openings)[: max(1, len(openings) // 4)]
    return {
        "eye_size": eyes / square,
        "iris": float(dark.mean()) if len(openings) else 0.0,
        "lips": lips / square,
        "skin_tone": float(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-3)))),
    }


def _area(head: NDArray[np.float64], ring: Sequence[int]) -> float:
    """Of the ring seen from the front, in square millimetres of the mean face."""
    return float(cv2.contourArea(np.ascontiguousarray(head[list(ring), :2], np.float32)))
