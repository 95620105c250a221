"""What stands behind the sitter: plain colours, gradients, studio paper with a light on it, or a photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import ConfigError
from portraitist.styles.formats import background_colours
from portraitist.types import Image

OWN, OWN_BLURRED = "own", "own-blurred"
_PLAIN = {"black": "#101010", "grey": "#8c8c8c", "blue": "#438edb", "red": "#c8102e", "beige": "#d9cbb8"}
_GRADIENTS = {
    "gradient-grey": ("#d8d8d8", "#8e8e90"),
    "gradient-blue": ("#9cc3e6", "#3d6fa3"),
    "gradient-warm": ("#efe3d2", "#b79f85"),
}
_STUDIO = {
    "studio-grey": ("#b9babc", "#55575b"),
    "studio-warm": ("#cdbba6", "#5f5145"),
    "studio-dark": ("#4c4f55", "#131417"),
    "studio-blue": ("#7f9bb8", "#2b3b4f"),
    "studio-white": ("#fbfbfa", "#d3d4d6"),
}
_LIGHT_CENTRE = (0.5, 0.42)
"""Where the backdrop light falls, as shares of width and height: behind the head."""


def backdrop_names() -> tuple[str, ...]:
    """Every name a `BackdropScene` takes besides `#rrggbb` and a photo."""
    return (*background_colours(), *_PLAIN, *_GRADIENTS, *_STUDIO, OWN, OWN_BLURRED)


def paint_backdrop(backdrop: str | Image, size: tuple[int, int], seed: int = 0) -> Image:
    """Pixels (h, w, 3) of a backdrop that needs nothing of the sitter's photo; ConfigError on an unknown name."""
    if not isinstance(backdrop, str):
        return _cover(backdrop, size)
    colours = {**background_colours(), **_PLAIN}
    if backdrop in colours or backdrop.startswith("#"):
        return np.full((*size, 3), np.round(_colour(colours.get(backdrop, backdrop)) * 255), np.uint8)
    if backdrop in _GRADIENTS:
        top, bottom = map(_colour, _GRADIENTS[backdrop])
        share = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
        return _dither(np.broadcast_to(top + (bottom - top) * share, (*size, 3)), seed)
    if backdrop in _STUDIO:
        bright, dark = map(_colour, _STUDIO[backdrop])
        return _dither(dark + (bright - dark) * _pool_of_light(size, seed)[..., None], seed)
    raise ConfigError(f"backdrop '{backdrop}': unknown; known are {', '.join(backdrop_names())}, #rrggbb, or a photo")


def _colour(text: str) -> NDArray[np.float32]:
    """(3,) in [0, 1] from `#rrggbb`."""
    try:
        if len(text) != 7:
            raise ValueError
        return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
    except ValueError:
        raise ConfigError(f"colour '{text}': expected #rrggbb, six hexadecimal digits") from None


def _pool_of_light(size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Falloff of a lamp on paper, 1 behind the head, with the faint clouds of painted canvas."""
    h, w = size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    reach = 0.75 * max(h, w)
    distance = np.hypot(x - _LIGHT_CENTRE[0] * w, y - _LIGHT_CENTRE[1] * h) / reach
    light = 1 / (1 + (1.35 * distance) ** 2) ** 1.5
    grains = np.random.default_rng(seed).normal(size=(9, 7)).astype(np.float32)
    clouds = cv2.resize(grains, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(light + 0.018 * clouds, 0, 1), np.float32)


def _dither(colours: NDArray[np.float32], seed: int) -> Image:
    """Round to 8 bits with half a level of noise: a smooth gradient must not show bands."""
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, colours.shape[:2]).astype(np.float32)
    return np.asarray(np.clip(np.round(colours * 255 + noise[..., None]), 0, 255), np.uint8)


def _cover(photo: Image, size: tuple[int, int]) -> Image:
    """Fill the frame with the middle of a photo."""
    h, w = photo.shape[:2]
    scale = max(size[0] / h, size[1] / w)
    large = cv2.resize(
        photo,
        (max(size[1], round(w * scale)), max(size[0], round(h * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    top, left = (large.shape[0] - size[0]) // 2, (large.shape[1] - size[1]) // 2
    return np.ascontiguousarray(large[top : top + size[0], left : left + size[1]])


def blur_own(image: Image, matte: NDArray[np.float32], radius: float) -> Image:
    """The photo's own backdrop out of focus, without the person bleeding into it (no halo).

    matte: (h, w) of the person. radius: sigma in pixels. Source: normalised convolution (Knutsson & Westin 1993):
    the person's pixels have weight 0, so that the backdrop flows in behind them.
    """
    weight = (1 - np.clip(matte * 1.05, 0, 1))[..., None].astype(np.float32)
    colours = image.astype(np.float32) * weight
    total, mass = np.zeros_like(colours), np.zeros_like(weight)
    share = 1.0
    for sigma in (max(radius, 0.5), max(4 * radius, 2.0), max(16 * radius, 8.0)):
        total += share * _blur(colours, sigma)
        mass += share * _blur(weight, sigma).reshape(weight.shape)
        share *= 1e-3
    return np.asarray(np.clip(total / np.maximum(mass, 1e-9), 0, 255), np.uint8)


def _blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur; a large one is made on a smaller picture."""
    step = max(1, int(sigma / 4))
    h, w = values.shape[:2]
    small = cv2.resize(values, (max(1, w // step), max(1, h // step)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
