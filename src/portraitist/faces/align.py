"""Faces in one framing: upright, the eyes at the same places, hair and chin inside. The framing is that of FFHQ."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.geometry import Matrix, apply, fit_within, similarity_matrix
from portraitist.types import Image, Mask, Points

ANCHORS = (33, 133, 362, 263, 61, 291, 2, 168, 199)
"""Vertices that faces are laid on each other by: corners of eyes and mouth, nose, chin."""
# Mean place of those vertices in FFHQ framing, as parts of the side: measured on 593 tune faces, made symmetric.
_PLACES = np.array(
    [
        [0.3222, 0.4742],
        [0.4320, 0.4805],
        [0.5680, 0.4805],
        [0.6778, 0.4742],
        [0.3847, 0.7322],
        [0.6153, 0.7322],
        [0.5000, 0.6612],
        [0.5000, 0.4588],
        [0.5000, 0.8852],
    ]
)


def portrait_matrix(landmarks: Points, side: int, *, part: float = 1.0) -> Matrix:
    """(2, 3) similarity from the picture to a square of `side` pixels. landmarks: (468, 2 or 3) pixels.

    part: of the frame's side that is kept around the face; below 1 it comes closer.
    """
    middle = _PLACES.mean(axis=0)
    places = (_PLACES - middle) / part + middle
    return similarity_matrix(landmarks[list(ANCHORS)], places * side)


def align_portrait(image: Image, landmarks: Points, side: int, *, part: float = 1.0) -> tuple[Image, Matrix, Mask]:
    """The framed picture (side, side, 3), the matrix that made it, and (side, side) 1 where the photo reaches.

    Beyond the photo's border it is mirrored, so that there is no edge.
    """
    matrix = portrait_matrix(landmarks, side, part=part)
    return frame_by(image, matrix, (side, side)), matrix, reach(image, matrix, (side, side))


def align_within(image: Image, landmarks: Points, shape: tuple[int, int]) -> tuple[Image, Matrix, Mask]:
    """As `align_portrait`, in a frame of (h, w): its short side frames the face as a square would, along the long one
    the frame moves to where the photo is."""
    h, w = shape
    side = min(shape)
    matrix = portrait_matrix(landmarks, side)
    corners = np.array([[0, 0], [image.shape[1], 0], [0, image.shape[0]], [image.shape[1], image.shape[0]]], np.float32)
    middle = apply(matrix, corners).mean(axis=0)
    # Centred on the photo as far as the square, which holds the face, stays inside.
    matrix[:, 2] += np.clip(np.array([w / 2, h / 2]) - middle, 0, np.array([w - side, h - side]))
    return frame_by(image, matrix, shape), matrix, reach(image, matrix, shape)


def reach(image: Image, matrix: Matrix, shape: tuple[int, int]) -> Mask:
    """(h, w) of `shape`: 1 where the photo reaches, 0 beyond its border."""
    whole = np.ones(image.shape[:2], np.float32)
    inside = cv2.warpAffine(whole, matrix, shape[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(inside > 0.999, np.float32)


def frame_by(image: Image, matrix: Matrix, shape: tuple[int, int]) -> Image:
    """The picture (h, w) seen through a matrix of `portrait_matrix`, shrunk by area first: a warp alone would skip
    pixels."""
    scale = float(np.sqrt(np.linalg.det(matrix[:, :2])))
    source = fit_within(image, max(1, round(max(image.shape[:2]) * min(1.0, 1.5 * scale))))
    shrunk = matrix.copy()
    shrunk[:, :2] *= image.shape[0] / source.shape[0]
    options = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REFLECT_101}
    return np.asarray(cv2.warpAffine(source, shrunk, shape[::-1], **options), np.uint8)
