"""How usable a face is: sharpness, size, exposure, visibility and open eyes, each in [0, 1]."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.mesh import crop_of
from portraitist.faces.occlusion import measure_visibility
from portraitist.faces.pyramid import Pyramid, pyramid_of
from portraitist.faces.regions import skin_mask
from portraitist.geometry import apply, square_crop
from portraitist.types import Expression, Face, Image, Mask, Quality

_CHIP = 192
_CLEAN_NOISE = 4.0
"""Largest noise figure of the clean tune photos (London 0.7 to 1.2, Caltech 0.5 to 4.0); skin's texture counts too."""


def measure_quality(picture: Image | Pyramid, face: Face, expression: Expression) -> Quality:
    """`face` is in pixels of `picture`. Everything is measured on one upright 192 px crop of the face."""
    levels = pyramid_of(picture)
    h, w = levels.image.shape[:2]
    centre, side, roll = crop_of(face.landmarks)
    matrix = square_crop(centre, side, roll, _CHIP)
    chip, points = levels.warp(matrix, _CHIP), apply(matrix, face.landmarks)
    inside = apply(matrix, np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32))
    frame = cv2.fillConvexPoly(np.zeros((_CHIP, _CHIP), np.uint8), np.round(inside).astype(np.int32), 1)
    skin = skin_mask(replace(face, landmarks=points), (_CHIP, _CHIP)) * frame
    return Quality(
        sharpness=measure_sharpness(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)),
        size=float(np.clip((face.width - 32) / (160 - 32), 0, 1)),
        exposure=measure_exposure(chip, skin),
        visibility=measure_visibility(chip, points, face, (h, w)),
        eyes_open=expression.eyes_open,
        face_width=face.width,
    )


def measure_sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of the grey values, at a fixed face size: smooth skin costs little.

    The logarithm of the ratio is -1.1 at the median of the tune photos and under -2.27 for 95 % of them blurred by
    sigma 2 px on the 192 px crop (judge figures: benchmarks/faces_accuracy.py). Noise would pass for sharpness, so the
    score falls from what clean tune photos show to nothing at four times that.
    """
    values = grey.astype(np.float32)
    ratio = float(cv2.Laplacian(values, cv2.CV_32F).var()) / max(float(values.var()), 1.0)
    clean = np.clip((4 * _CLEAN_NOISE - estimate_noise(values)) / (3 * _CLEAN_NOISE), 0, 1)
    return float(np.clip((np.log10(ratio + 1e-6) + 2.4) / 1.3, 0, 1) * clean)


def estimate_noise(grey: NDArray[np.float32]) -> float:
    """Standard deviation of the noise in grey levels, from the median response of a filter that is blind to slopes.

    Source: Immerkaer, "Fast Noise Variance Estimation", CVIU 1996, with a median instead of the mean.
    """
    second = np.array([1, -2, 1], np.float32)
    response = cv2.filter2D(grey, cv2.CV_32F, np.outer(second, second))
    return float(1.4826 * np.median(np.abs(response)) / 6)


def measure_exposure(chip: Image, skin: Mask) -> float:
    """1 when the skin's median lightness is between 35 and 85 of 100 and little of it is clipped; 0.5 without skin."""
    inside = skin > 0.5
    if inside.sum() < 100:
        return 0.5
    lightness = cv2.cvtColor(chip, cv2.COLOR_RGB2LAB)[..., 0][inside].astype(np.float32) / 2.55
    middle = float(np.median(lightness))
    level = min(np.clip((middle - 10) / 25, 0, 1), np.clip((100 - middle) / 15, 0, 1))
    clipped = float(((lightness > 98) | (lightness < 3)).mean())
    return float(level * np.clip(1 - 2 * clipped, 0, 1))
