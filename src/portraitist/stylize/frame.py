"""A face brought into the painter's frame, and a painting put back where it came from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.align import align_portrait
from portraitist.geometry import Matrix, apply, invert
from portraitist.types import Face, Image, Mask


@dataclass(frozen=True, eq=False)
class Framed:
    """A face in FFHQ framing. image: (side, side, 3). matrix: picture -> frame. inside: 1 where the picture reaches.
    face: in pixels of the frame."""

    image: Image
    matrix: Matrix
    inside: Mask
    face: Face


def frame_face(image: Image, face: Face, side: int, part: float) -> Framed:
    """The face in a frame of `side` pixels; part: of the FFHQ frame, over 1 is wider."""
    framed, matrix, inside = align_portrait(image, face.landmarks, side, part=part)
    return Framed(framed, matrix, inside, in_frame(face, matrix))


def in_frame(face: Face, matrix: Matrix) -> Face:
    """The face in pixels of the frame."""
    from dataclasses import replace

    corners = face.box_xyxy.reshape(2, 2)
    return replace(face, landmarks=apply(matrix, face.landmarks), box_xyxy=apply(matrix, corners).reshape(4))


def paste(image: Image, painted: Image, region: Mask, matrix: Matrix, strength: float) -> tuple[Image, Mask]:
    """The picture with the painting mixed in, and (h, w) how much of it shows; where that is 0 no byte changes.

    painted: (s, s, 3). region: (s, s) in [0, 1]. matrix: picture -> frame. Raises nothing: a frame outside the picture
    changes nothing.
    """
    h, w = image.shape[:2]
    x0, y0, x1, y1 = _box(matrix, painted.shape[:2], (h, w))
    shown = np.zeros((h, w), np.float32)
    if x0 >= x1 or y0 >= y1 or strength == 0:
        return image.copy(), shown
    layer, opacity = _laid_out(painted, region, matrix, (x0, y0, x1, y1))
    part = image[y0:y1, x0:x1].astype(np.float32)
    opacity *= np.float32(strength)
    mixed = part + opacity[..., None] * (layer - part)
    result = image.copy()
    result[y0:y1, x0:x1] = np.where(opacity[..., None] > 0, np.clip(np.rint(mixed), 0, 255), part).astype(np.uint8)
    shown[y0:y1, x0:x1] = opacity
    return result, shown


def _laid_out(
    painted: Image, region: Mask, matrix: Matrix, box: tuple[int, int, int, int]
) -> tuple[NDArray[np.float32], Mask]:
    """The painting and its opacity in a box of the picture."""
    x0, y0, x1, y1 = box
    scale = float(np.sqrt(np.linalg.det(matrix[:, :2])))
    if scale > 1.5:
        # A frame finer than the picture is shrunk by area first: a warp alone would skip its pixels.
        size = max(1, round(painted.shape[1] / scale)), max(1, round(painted.shape[0] / scale))
        matrix = matrix * (size[0] / painted.shape[1])
        painted = np.asarray(cv2.resize(painted, size, interpolation=cv2.INTER_AREA), np.uint8)
        region = np.asarray(cv2.resize(region, size, interpolation=cv2.INTER_AREA), np.float32)
    moved = np.asarray(matrix, np.float64).copy()
    moved[:, 2] += moved[:, :2] @ np.array([x0, y0], np.float64)
    size = (x1 - x0, y1 - y0)
    flags = cv2.WARP_INVERSE_MAP
    layer = cv2.warpAffine(painted, moved, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpAffine(region, moved, size, flags=flags | cv2.INTER_LINEAR)
    return np.asarray(layer, np.float32), np.asarray(np.clip(opacity, 0, 1), np.float32)


def _box(matrix: Matrix, frame: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """xyxy of the frame in the picture, cut at its borders."""
    h, w = frame
    corners = apply(invert(matrix), np.array([[0, 0], [w, 0], [0, h], [w, h]], np.float32))
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    return max(0, int(low[0])), max(0, int(low[1])), min(size[1], int(high[0])), min(size[0], int(high[1]))
