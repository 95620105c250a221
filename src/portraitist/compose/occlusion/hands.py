"""Hands held before the face: MediaPipe's palm detector and 21-point hand network.

Source: Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking", 2020 (arXiv:2006.10214).
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.view import SIZE, FaceView
from portraitist.faces.detect import anchor_centres
from portraitist.faces.regions import oval_mask
from portraitist.geometry import apply, box_overlap, invert, square_crop
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.types import Face, Image, Mask, Points
from portraitist.weights import fetch

PALM_SIDE, HAND_SIDE = 192, 224
PALM_GRIDS = ((24, 2), (12, 6))
CERTAIN = 0.5
PALM = (0, 1, 5, 9, 13, 17)
FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
FINGER_WIDTH = 0.26
"""Thickness of a finger over the breadth of the palm (index to little knuckle)."""


class HandFinder(Protocol):
    """Anything that finds hands."""

    def find(self, image: Image) -> list[Points]:
        """(21, 3) points for each hand, in pixels of the image."""
        ...


class MediaPipeHands:
    """Both networks, loaded once. The image should show the face and at least as much again around it."""

    def __init__(self, placement: Placement = Placement()) -> None:
        self._palm = LiteNetwork(fetch("palm-detection-full"), placement.threads)
        self._hand = LiteNetwork(fetch("hand-landmark-full"), placement.threads)
        self._anchors = anchor_centres(PALM_GRIDS)

    def find(self, image: Image) -> list[Points]:
        """(21, 3) points for each hand, in pixels of the image, surest first."""
        h, w = image.shape[:2]
        view = square_crop(np.array([w / 2, h / 2]), float(max(h, w)), 0.0, PALM_SIDE)
        hands = [self._points(image, palm) for palm in self._palms(image, view)]
        return [points for points in hands if points is not None]

    def _palms(self, image: Image, view: NDArray[np.float64]) -> list[NDArray[np.float32]]:
        """(9, 2) rows of box centre, half size and seven key points, in image pixels, without doubles."""
        crop = cv2.warpAffine(image, view, (PALM_SIDE, PALM_SIDE), flags=cv2.INTER_AREA)
        raw, logits = sorted(self._palm(crop[None].astype(np.float32) / 255), key=lambda a: -a.shape[-1])
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        back = invert(view)
        kept: list[NDArray[np.float32]] = []
        for i in sorted(np.flatnonzero(scores > CERTAIN), key=lambda i: -scores[i]):
            rows = raw[0, i].reshape(9, 2)
            points = apply(back, np.delete(rows, 1, 0) + self._anchors[i] * PALM_SIDE)
            half = rows[1] / 2 * np.sqrt(np.linalg.det(back[:, :2]))
            palm = np.concatenate([points[:1], half[None], points[1:]]).astype(np.float32)
            if all(box_overlap(_box(palm), _box(other)) < 0.3 for other in kept):
                kept.append(palm)
        return kept

    def _points(self, image: Image, palm: NDArray[np.float32]) -> Points | None:
        """Landmarks in a square of 2.6 palms, turned so that the fingers point up; None where there is no hand."""
        wrist, knuckle = palm[2], palm[4]
        up = knuckle - wrist
        roll = float(np.degrees(np.arctan2(up[0], -up[1])))
        side = 2.0 * float(palm[1].max())
        centre = palm[0] + 0.5 * side * up / max(float(np.linalg.norm(up)), 1e-6)
        matrix = square_crop(centre, 2.6 * side, roll, HAND_SIDE)
        crop = cv2.warpAffine(image, matrix, (HAND_SIDE, HAND_SIDE), flags=cv2.INTER_LINEAR)
        outputs = self._hand(crop[None].astype(np.float32) / 255)
        presence = float(outputs[1].reshape(-1)[0])
        if presence < CERTAIN:
            return None
        return apply(invert(matrix), outputs[0].reshape(21, 3))


def _box(palm: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([palm[0] - palm[1], palm[0] + palm[1]])


def hand_mask(points: Points, size: tuple[int, int]) -> Mask:
    """(h, w) the palm's hull and the fingers as round strokes."""
    xy = points[:, :2]
    breadth = float(np.linalg.norm(xy[5] - xy[17]))
    stroke = max(2, round(FINGER_WIDTH * breadth))
    mask = np.zeros(size, np.uint8)
    palm = cv2.convexHull(np.round(xy[list(PALM)]).astype(np.int32))
    cv2.fillPoly(mask, [palm], 1)
    cv2.polylines(mask, [palm], True, 1, stroke)
    for finger in FINGERS:
        cv2.polylines(mask, [np.round(xy[list(finger)]).astype(np.int32)], False, 1, stroke)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0), np.float32)


def hands_over(hands: HandFinder, image: Image, face: Face, view: FaceView) -> Mask:
    """(h, w) mask over the view of the hands that overlap the face's oval."""
    oval = oval_mask(view.face, SIZE)
    found = np.zeros(SIZE, np.float32)
    reach = 2.2 * face.width
    x0, y0 = (max(0, int(v - reach)) for v in face.centre)
    x1, y1 = (int(v + reach) for v in face.centre)
    for points in hands.find(np.ascontiguousarray(image[y0:y1, x0:x1])):
        moved = points + np.array([x0, y0, 0], np.float32)
        mask = hand_mask(apply(view.matrix, moved), SIZE)
        if float((mask * oval).sum()) > 0.01 * float(oval.sum()):
            found = np.maximum(found, mask)
    return found
