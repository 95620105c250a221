"""Denoise and deblur poor photos, mixed half and half with the photo. Off unless asked: it takes away as it gives."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import ConfigError
from portraitist.types import Image

MIX = 0.5
NOISY, BLURRED = 3.0, 1.2
"""Grey levels of noise, pixels of blur, from which there is something to restore."""


def restore(image: Image, *, mix: float = MIX) -> Image:
    """Denoise, then deblur, as far as the photo itself shows the need; the result is mixed with the photo.

    mix: 0 gives the photo, 1 the restored one. Raises ConfigError outside.
    """
    if not 0 <= mix <= 1:
        raise ConfigError(f"mix: expected 0 to 1, found {mix}")
    if mix == 0:
        return image
    restored = image
    noise, blur = estimate_noise(image), estimate_blur(image)
    if noise > NOISY:
        restored = denoise(restored, noise)
    if blur > BLURRED:
        restored = deblur(restored, blur, noise)
    mixed = image.astype(np.float32) * (1 - mix) + restored.astype(np.float32) * mix
    return np.round(mixed).astype(np.uint8)


def estimate_noise(image: Image) -> float:
    """Standard deviation of the noise in grey levels.

    Source: Immerkaer, "Fast Noise Variance Estimation", CVIU 1996; the quieter half of the blocks, so that hair and
    cloth do not count as noise.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, -1, mask))
    blocks = cv2.resize(
        response, (max(1, grey.shape[1] // 16), max(1, grey.shape[0] // 16)), interpolation=cv2.INTER_AREA
    )
    return float(np.sqrt(np.pi / 2) / 6 * np.median(blocks))


def estimate_blur(image: Image) -> float:
    """Sigma in pixels of the Gaussian that the sharpest edges look blurred with.

    Blur the photo once more by a known sigma: the ratio of gradients at an edge tells the first one.
    Source: Zhuo & Sim, "Defocus map estimation from a single image", Pattern Recognition 2011, eq. 4-6.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    again = 1.5
    first, second = _gradient(grey), _gradient(cv2.GaussianBlur(grey, (0, 0), again))
    strong = first >= max(float(np.percentile(first, 97)), 4.0)
    if not strong.any():
        return 0.0
    ratio = np.maximum(first[strong] / np.maximum(second[strong], 1e-3), 1.001)
    sigma = again / np.sqrt(ratio**2 - 1)
    return float(np.percentile(sigma, 25))


def _gradient(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down) / 8, np.float32)


def denoise(image: Image, sigma: float) -> Image:
    """Non-local means for noise of `sigma` grey levels. Source: Buades et al., CVPR 2005 (OpenCV)."""
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, 0.8 * sigma, 1.2 * sigma, 5, 15), np.uint8)


def deblur(image: Image, sigma: float, noise: float = 1.0) -> Image:
    """Wiener deconvolution of the luminance by a Gaussian of `sigma` px; colours stay.

    noise: grey levels; more of it asks for a stronger regulariser. Mirrored borders keep the frame from ringing.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    pad = int(np.ceil(4 * sigma)) + 8
    light = cv2.copyMakeBorder(lab[..., 0], pad, pad, pad, pad, cv2.BORDER_REFLECT)
    fy, fx = np.fft.fftfreq(light.shape[0])[:, None], np.fft.rfftfreq(light.shape[1])[None]
    transfer = np.exp(-2 * (np.pi * sigma) ** 2 * (fx**2 + fy**2))
    # Natural pictures have power falling with frequency squared: the noise-to-signal ratio grows the same way.
    ratio = (0.02 + (noise / 60.0) ** 2) * np.minimum((fx**2 + fy**2) / 0.1**2, 4.0)
    sharp = np.fft.irfft2(np.fft.rfft2(light) * transfer / (transfer**2 + ratio), s=light.shape)
    lab[..., 0] = np.clip(sharp[pad:-pad, pad:-pad], 0, 255)
    return np.asarray(cv2.cvtColor(np.round(lab).astype(np.uint8), cv2.COLOR_YCrCb2RGB), np.uint8)
