"""How usable a face is: sharpness, size, exposure, visibility and open eyes, each in [0, 1]."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.faces.regions import skin_mask
from portraitist.types import Expression, Face, Image, Quality

_CHIP = 192


def measure_quality(image: Image, face: Face, expression: Expression, visibility: float = 1.0) -> Quality:
    """`face` is in pixels of `image`. Ramps were set on the tune photos and their blurred copies."""
    x0, y0, x1, y1 = np.round(face.box_xyxy).astype(int)
    crop = image[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
    if crop.size == 0:
        return Quality(0, 0, 0, 0, 0, face.width)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return Quality(
        sharpness=_sharpness(grey),
        size=float(np.clip((face.width - 32) / (160 - 32), 0, 1)),
        exposure=_exposure(image, face),
        visibility=visibility,
        eyes_open=expression.eyes_open,
        face_width=face.width,
    )


def _sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian at a fixed face size over the variance of the grey values."""
    side = min(_CHIP, max(grey.shape))
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    ratio = cv2.Laplacian(small, cv2.CV_32F).var() / max(float(small.var()), 1.0)
    return float(np.clip((np.log10(ratio + 1e-6) + 2.2) / 1.4, 0, 1))


def _exposure(image: Image, face: Face) -> float:
    """1 when the skin's median lightness is between 35 and 80 of 100 and little of it is clipped."""
    small = face.scaled(128 / max(image.shape[:2]))
    size = (
        max(1, round(image.shape[0] * 128 / max(image.shape[:2]))),
        max(1, round(image.shape[1] * 128 / max(image.shape[:2]))),
    )
    view = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    inside = skin_mask(small, size) > 0.5
    if inside.sum() < 4:
        return 0.5
    lightness = cv2.cvtColor(view, cv2.COLOR_RGB2LAB)[..., 0][inside].astype(np.float32) / 2.55
    middle = float(np.median(lightness))
    level = min(np.clip((middle - 10) / 25, 0, 1), np.clip((100 - middle) / 15, 0, 1))
    clipped = float(((lightness > 98) | (lightness < 3)).mean())
    return float(level * np.clip(1 - 2 * clipped, 0, 1))
