"""Views of skin with shading, pores and grain, and marks drawn on it with known place, size and colour."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.view import SkinView, skin_view
from portraitist.retouch.colour import from_lab, to_lab
from portraitist.types import Image
from tests.marks.meshes import head

SIZE = 800
FAIR, DARK = (70.0, 12.0, 17.0), (32.0, 11.0, 14.0)
CHEEK, OTHER_CHEEK, FOREHEAD, CHIN = 50, 280, 151, 199
"""Mesh vertices in the middle of bare skin."""


@cache
def photo(colour: tuple[float, float, float] = FAIR, grain: float = 0.7, seed: int = 0) -> Image:
    """(800, 800, 3) lit from the left, with pores (1.5 pixels) and the grain of a camera, in L*."""
    random = np.random.default_rng(seed)
    lab = np.tile(np.asarray(colour, np.float32), (SIZE, SIZE, 1))
    # The same array each time: whoever draws on it makes a copy.
    lab[..., 0] *= np.linspace(1.1, 0.9, SIZE, dtype=np.float32)
    pores = cv2.GaussianBlur(random.normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), 1.5)
    lab[..., 0] += grain * pores / pores.std()
    lab += random.normal(0, 0.5 * grain, lab.shape).astype(np.float32)
    return np.clip(np.round(255 * from_lab(lab)), 0, 255).astype(np.uint8)


def with_disc(
    image: Image, at: NDArray[np.floating], diameter: float, offset: tuple[float, float, float], soft: float = 0.6
) -> Image:
    """A disc of LAB `offset` to its skin; `soft` is the deviation of its edge. Pixels."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    share = (np.hypot(columns - at[0], rows - at[1]) < diameter / 2).astype(np.float32)
    return _tinted(image, cv2.GaussianBlur(share, (0, 0), soft), offset)


def with_line(image: Image, points: NDArray[np.floating], width: float, drop: float) -> Image:
    """A dark crease along (n, 2) points: `width` pixels at half depth, `drop` in L*."""
    share = np.zeros(image.shape[:2], np.uint8)
    cv2.polylines(share, [np.round(np.asarray(points) * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    bell = cv2.GaussianBlur(share.astype(np.float32), (0, 0), width / 2.355)
    return _tinted(image, bell / bell.max(), (-drop, 1.0, 1.0))


def view_of(image: Image, side: int = 1024, roll: float = 0.0) -> SkinView:
    """The view of the mean face on the picture, 3 pixels a millimetre."""
    return skin_view(image, head(roll=roll), side)


def vertex(number: int, roll: float = 0.0) -> NDArray[np.float64]:
    """(2,) pixels of the photo."""
    return np.asarray(head(roll=roll).landmarks[number, :2], np.float64)


def beside(number: int, right: float, down: float) -> NDArray[np.float64]:
    """(2,) pixels of the photo, so far from a vertex."""
    return vertex(number) + np.array([right, down])


def without_skin(view: SkinView) -> SkinView:
    return replace(view, skin=np.zeros_like(view.skin))


def saved(image: Image, quality: int) -> Image:
    """After one JPEG."""
    written = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(written, cv2.IMREAD_COLOR)[..., ::-1])


def _tinted(image: Image, share: NDArray[np.float32], offset: tuple[float, float, float]) -> Image:
    lab = to_lab(image) + share[..., None] * np.asarray(offset, np.float32)
    return np.clip(np.round(255 * from_lab(np.asarray(lab, np.float32))), 0, 255).astype(np.uint8)
