"""The smooth skin under and around a place, and the noise of its texture: what a mark is told from.

Averages over skin only are normalised convolution (Knutsson and Westin 1993): the blurred values over the blurred mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.retouch.colour import Lab
from portraitist.types import Mask

_LEAST = 1e-3
"""Share of skin within the reach of a blur below which the mean of all skin stands in."""
QUIET = 0.2
"""Least noise, in units of LAB: below that of 8 bits a channel."""
_CUT = 3.0
"""Texture beyond this many deviations is no skin: a mark, a hair, a highlight."""
_ENOUGH = 40_000
"""Pixels that a median is taken over: evenly spread, no more are needed."""
_ROUNDS = 2
"""Fits after the first; each leaves out what the one before it found to be no skin."""


@dataclass(frozen=True, eq=False)
class LocalSkin:
    """smooth: (h, w, 3) LAB, the skin as it would be without marks and pores. noise: (h, w, 3) deviation of the
    texture around each pixel, robust against marks, above 0. Both are defined everywhere, also where there is no
    skin."""

    smooth: Lab
    noise: Lab


def fit_skin(lab: Lab, skin: Mask, spread: float) -> LocalSkin:
    """The skin of `lab` (h, w, 3) where `skin` (h, w) in [0, 1] is above 0.

    spread: pixels, deviation of the Gaussian; two to four diameters of the largest mark to stand out from the fit.
    The noise is taken over three times that. Without any skin the fit is the mean of the picture.
    """
    height, width = lab.shape[:2]
    factor = _factor(spread / 2, height, width)
    small, bare = _shrunk(lab, factor), _shrunk(np.asarray(skin, np.float32), factor)
    weight = bare
    for _ in range(_ROUNDS):
        weight = bare * _belonging(small - masked_blur(small, weight, spread / factor), bare)
    fitted = masked_blur(small, weight, spread / factor)
    smooth = np.asarray(cv2.resize(fitted, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return LocalSkin(smooth, noise_of(lab - smooth, skin, 3 * spread))


def masked_blur(values: NDArray[np.float32], weight: Mask, sigma: float) -> NDArray[np.float32]:
    """(h, w) or (h, w, c) Gaussian average of `values` over where `weight` (h, w) is; `sigma` in pixels.

    A wide blur is made on a smaller copy. Out of reach of any weight it is the weighted mean of all values.
    """
    layers = values[..., None] if values.ndim == 2 else values
    far = _mean(layers, weight)
    stacked = np.dstack([(layers - far) * weight[..., None], weight])
    blurred = _blurred(stacked, sigma)
    reach = blurred[..., -1:]
    averaged = blurred[..., :-1] / np.maximum(reach, _LEAST) * np.clip(reach / _LEAST, 0, 1) + far
    return np.asarray(averaged.reshape(values.shape), np.float32)


def noise_of(
    residual: NDArray[np.float32], skin: Mask, sigma: float, *, quiet: float | NDArray[np.float32] = QUIET
) -> NDArray[np.float32]:
    """Deviation of a texture with mean 0 around each pixel, of the shape of `residual` (h, w) or (h, w, c).

    From the mean absolute value over skin (1.2533 times it, for a Gaussian), with values cut at three robust
    deviations of the whole, so that marks and hairs hardly count. quiet: the least it can be.
    """
    # So wide a window needs every few pixels only.
    height, width = residual.shape[:2]
    every = max(1, _factor(sigma, height, width) // 2)
    size, bare = np.abs(residual[::every, ::every]), np.ascontiguousarray(skin[::every, ::every])
    limit = _CUT * np.maximum(_robust_deviation(size, bare), quiet)
    averaged = masked_blur(np.minimum(size, limit).astype(np.float32), bare, sigma / every)
    noise = np.maximum(1.2533 * averaged, quiet)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _belonging(residual: Lab, skin: Mask) -> Mask:
    """(h, w) in [0, 1], Tukey's biweight of each pixel's distance from the fit; a mark has 0."""
    distance = (residual / (_CUT * np.maximum(_robust_deviation(residual, skin), QUIET))) ** 2
    return np.asarray(np.clip(1 - distance.max(axis=2), 0, 1) ** 2, np.float32)


def _robust_deviation(residual: NDArray[np.float32], skin: Mask) -> NDArray[np.float32]:
    """(c,) or () from the median absolute value over skin; 0 without skin."""
    every = max(1, round((skin.size / _ENOUGH) ** 0.5))
    chosen = np.abs(residual[::every, ::every][skin[::every, ::every] > 0.5])
    if len(chosen) == 0:
        return np.zeros(residual.shape[2:], np.float32)
    return np.asarray(1.4826 * np.median(chosen, axis=0), np.float32)


def _mean(layers: NDArray[np.float32], weight: Mask) -> NDArray[np.float32]:
    total = float(weight.sum())
    if total <= 0:
        return np.asarray(layers.mean(axis=(0, 1)), np.float32)
    return np.asarray(np.tensordot(weight, layers, axes=((0, 1), (0, 1))) / total, np.float32)


def _blurred(layers: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    height, width = layers.shape[:2]
    factor = _factor(sigma, height, width)
    small = _shrunk(layers, factor)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_CONSTANT)
    soft = soft.reshape(*small.shape[:2], -1)
    if factor == 1:
        return np.asarray(soft, np.float32)
    grown = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown.reshape(height, width, -1), np.float32)


def _factor(sigma: float, height: int, width: int) -> int:
    """How much smaller a copy still holds what a blur by `sigma` leaves."""
    return max(1, min(round(sigma / 3), height // 4, width // 4))


def _shrunk(layers: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return layers
    size = (layers.shape[1] // factor, layers.shape[0] // factor)
    return np.asarray(cv2.resize(layers, size, interpolation=cv2.INTER_AREA), np.float32)
