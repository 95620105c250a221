"""A dark face is painted as a lighter one, and the painting is darkened again.

Drawings keep lines and eyes apart from skin by lightness, so what a translator paints of dark skin falls into patches.
Lifted, eyes and lines are drawn as they are in a light face; the way back keeps black and white where they are.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from portraitist.stylize.painting import FramePainter, Painting
from portraitist.stylize.tones import face_lightness, lightness, middle_of
from portraitist.types import Image

LIGHT_ENOUGH = 55.0
"""L* of a face that is painted as it is. On the darkest tune photos, eyes came back from 45 on through a translator of
open-peeps; its student drew lines from 50 on and paled from 65 on."""
_HALVINGS = 16


def lifted(photo: Image, to: float = LIGHT_ENOUGH) -> Image:
    """The photo, or where its face is darker than `to` (L*), the photo with a gamma that makes it as light."""
    face = middle_of(photo)
    if lightness(face) >= to:
        return photo
    low, high = 0.05, 1.0
    for _ in range(_HALVINGS):
        gamma = (low + high) / 2
        low, high = (gamma, high) if lightness(_with_gamma(face, gamma)) > to else (low, gamma)
    return _with_gamma(photo, high)


def lowered(painted: Image, photo: Image, lifted_photo: Image) -> Image:
    """The painting of a lifted photo with its face as light as the photo's, but never darkened more than it was lifted:
    a style whose skin is white for everybody stays as white."""
    if lifted_photo is photo:
        return painted
    wanted, raised, now = (_log_lightness(image) for image in (photo, lifted_photo, painted))
    return _darkened(painted, float(np.clip(wanted / now, 1.0, max(1.0, wanted / raised))))


class LiftingPainter:
    """A painter that is shown a dark face lifted, and whose painting is lowered again. to: L*."""

    def __init__(self, painter: FramePainter, to: float) -> None:
        self._painter, self._to = painter, to
        self.side, self.part = painter.side, painter.part

    def __call__(self, frame: Image) -> Painting:
        """Paint an (h, w, 3) frame, as the painter itself would where the middle of the frame is light enough."""
        light = lifted(frame, self._to)
        painting = self._painter(light)
        return replace(painting, image=lowered(painting.image, frame, light))


def _with_gamma(photo: Image, gamma: float) -> Image:
    table = np.round(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return np.asarray(cv2.LUT(photo, table), np.uint8)


def _log_lightness(image: Image) -> float:
    return float(np.log(np.clip(face_lightness(image), 1, 99) / 100))


def _darkened(image: Image, power: float) -> Image:
    """L* / 100 to a power, and colours in proportion: in RGB a gamma makes skin orange."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab *= (np.maximum(lab[..., :1], 0.1) / 100) ** (power - 1)
    rgb = np.rint(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    return np.asarray(np.clip(rgb, 0, 255), np.uint8)
