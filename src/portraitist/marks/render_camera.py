"""What lens, sensor and file do: to the marks as to the skin they were drawn on, and then to the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.render_config import CameraConfig
from portraitist.types import Image

_LENS = 0.45
"""Standard deviation of what a lens and a colour filter blur, in pixels of the photo: the skin has it already."""
_MOST_NOISE = 8.0
"""Bytes: cameras smooth the noise of deep shadows away."""
_TABLE = np.arange(256, dtype=np.float32) / np.float32(255)
LINEAR_OF = np.where(_TABLE <= 0.04045, _TABLE / 12.92, ((_TABLE + 0.055) / 1.055) ** 2.4).astype(np.float32)
"""Linear light of an sRGB byte (IEC 61966-2-1)."""


def as_photographed(gain: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Gains (side, side, 3) as sharp as the photo can have been. scale: pixels of the view a pixel of the photo.

    A view is enlarged from a photo; a mark drawn sharper than that would not be of the same photo.
    """
    if scale <= 1:
        return np.asarray(cv2.GaussianBlur(gain, (0, 0), _LENS), np.float32)
    side = max(2, round(gain.shape[0] / scale))
    small = cv2.GaussianBlur(cv2.resize(gain, (side, side), interpolation=cv2.INTER_AREA), (0, 0), _LENS)
    return np.asarray(cv2.resize(small, gain.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def lit(pixels: Image, gain: NDArray[np.float32]) -> Image:
    """The picture with its linear light multiplied by gains (h, w, 3); where they are 1 its bytes stay."""
    rows, columns = np.nonzero((np.abs(gain - 1) > 1e-3).any(-1))
    light = LINEAR_OF[pixels[rows, columns]] * gain[rows, columns]
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    result = pixels.copy()
    result[rows, columns] = np.round(np.clip(encoded, 0, 1) * 255)
    return result


def photograph(pixels: Image, scale: float, camera: CameraConfig, rng: np.random.Generator) -> Image:
    """The picture shrunk to its photo's own size or less, blurred, with noise, saved as JPEG and enlarged again."""
    side = pixels.shape[0]
    size = max(2, round(side / max(1.0, scale) * rng.uniform(*camera.shrink)))
    photo = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
    photo = _noisy(_blurred(photo, camera, rng), camera, rng)
    strength = rng.uniform(*camera.sharpen)
    if strength > 0:
        photo = cv2.addWeighted(photo, 1 + strength, cv2.GaussianBlur(photo, (0, 0), 1.0), -strength, 0)
    for _ in range(camera.saves):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(*camera.quality))]
        photo = cv2.imdecode(cv2.imencode(".jpg", np.ascontiguousarray(photo), quality)[1], cv2.IMREAD_COLOR)
    method = cv2.INTER_CUBIC if camera.enlarge == "cubic" else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(photo, (side, side), interpolation=method), np.uint8)


def _blurred(photo: NDArray[np.uint8], camera: CameraConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    sigma = rng.uniform(*camera.blur)
    if camera.lens == "smeared":
        sigmas = sigma * rng.permutation([1.0, 0.4])
        return np.asarray(cv2.GaussianBlur(photo, (0, 0), float(sigmas[0]), sigmaY=float(sigmas[1])), np.uint8)
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), float(sigma)), np.uint8)


def _noisy(photo: NDArray[np.uint8], camera: CameraConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise whose variance in linear light grows with the light, as that of counted photons does.

    In bytes it is smaller by the slope of the sRGB curve, so bright skin shows less of it than dark skin.
    """
    level = rng.uniform(*camera.noise)
    spread = level * np.sqrt(0.1 + 0.9 * LINEAR_OF / LINEAR_OF[118])
    in_bytes = np.minimum(spread / np.maximum(np.gradient(LINEAR_OF), 1e-5), _MOST_NOISE).astype(np.float32)
    # A camera mixes neighbouring red, green and blue pixels, so most of the noise is in lightness.
    noise = 0.6 * rng.standard_normal(photo.shape, np.float32) + 0.8 * rng.standard_normal(
        (*photo.shape[:2], 1), np.float32
    )
    if camera.grain == "coarse":
        noise = 1.9 * cv2.GaussianBlur(noise, (0, 0), 0.6)
    return np.asarray(np.clip(np.round(photo + in_bytes[photo] * noise), 0, 255), np.uint8)
