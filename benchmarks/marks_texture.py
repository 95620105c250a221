"""Fine detail of skin: energy of the local contrast in one band, over the skin of a face.

Contrast is a band of luminance over the light around it, as in E. Peli, "Contrast in complex images", Journal of the
Optical Society of America A 7 (10), 1990; with Gaussians of 1 and 3 pixels in place of his filters, in a view of 512
pixels: waves of 4 to 19 pixels, 1.6 to 7 mm on a face. The choice of band, and the ratio to the sitter's photos, are
ours.
"""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.faces.regions import skin_mask
from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.marks.local_skin import masked_blur
from portraitist.marks.view import SkinView, skin_view
from portraitist.retouch.colour import luminance, to_lab
from portraitist.types import Face, Image, Mask

SIDE = 512
FINE, COARSE = 1.0, 3.0
"""Deviations in pixels of the view."""
_WIPED_MM = 3.0
"""Deviation of the blur that wipes marks off."""
_EDGE = 2 * round(2 * COARSE) + 1
"""Skin is left out within two coarse deviations of what is no skin, so that no eyelid or lip is detail."""


def energy(view: SkinView) -> float | None:
    """Mean square of the contrast on skin, where mark, pore and line count alike; None without enough skin."""
    light = luminance(to_lab(view.pixels)[..., 0])
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), sigma) for sigma in (FINE, COARSE))
    skin = cv2.erode((view.skin > 0.5).astype(np.uint8), np.ones((_EDGE, _EDGE), np.uint8)) > 0
    if skin.sum() < _EDGE**2:
        return None
    contrast = (fine - coarse)[skin] / np.maximum(coarse[skin], 1e-3)
    return float(np.mean(np.square(contrast, dtype=np.float64)))


def face_energy(image: Image, face: Face, hidden: Mask | None = None) -> float | None:
    """Of a face of a picture, whatever its size. hidden: as in `skin_view`."""
    return energy(skin_view(image, face, SIDE, hidden=hidden))


def wiped(image: Image, face: Face, hidden: Mask) -> Image:
    """The picture with skin so smooth that no mark is left, as of an engine that keeps none. hidden: as in
    `face_energy`; that stays as it is."""
    size = image.shape[0], image.shape[1]
    skin = np.asarray(skin_mask(face, size) * (1 - hidden), np.float32)
    smooth = masked_blur(image.astype(np.float32), skin, _WIPED_MM / millimetres_per_pixel(face))
    return np.asarray(np.round(image + (smooth - image) * skin[..., None]), np.uint8)


def reduced(image: Image, face: Face, factor: float) -> tuple[Image, Face]:
    """The picture and its face smaller by `factor`; as they are from 1 on."""
    if factor >= 1:
        return image, face
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), face.scaled(factor)
