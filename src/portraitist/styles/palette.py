"""The few colours that fill most of a region, with plain names."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image

NAMED = {
    "black": "#141414", "dark grey": "#4a4a4a", "grey": "#868686", "light grey": "#c4c4c4", "white": "#f6f6f4",
    "beige": "#d9c8a9", "cream": "#f4ebd2", "tan": "#b8946a", "brown": "#6f4a2f", "dark brown": "#35241a",
    "red": "#c22126", "dark red": "#6e1a1e", "pink": "#e8a3b4", "magenta": "#c02a90", "orange": "#e5802b",
    "amber": "#c98a2c", "yellow": "#ecd23f", "olive": "#71702f", "green": "#3d9144", "dark green": "#1f4a2c",
    "pale green": "#b5d6b2", "teal": "#1f7f80", "cyan": "#4cc6d6", "sky blue": "#9cc9e8", "blue": "#2f62c0",
    "navy blue": "#1c2747", "slate blue": "#5d7590", "purple": "#6b3a8f", "lavender": "#b9a6d6",
}  # fmt: skip
"""Our own table: a middle tone for each word. The nearest in CIELAB gives a colour its name."""
_CLUSTERS = 6
_SAMPLES = 4000
_LEAST = 50
Lab = NDArray[np.float32]


@dataclass(frozen=True)
class Colour:
    """A named colour of a region. rgb: the mean of its pixels, `#rrggbb`. share: of the region, 0 to 1."""

    name: str
    rgb: str
    share: float


def dominant_colours(
    image: Image, where: NDArray[np.bool_] | None = None, *, least: float = 0.12
) -> tuple[Colour, ...]:
    """Named colours of a region, (h, w) bool, that fill at least the share `least` of it, largest first.

    k-means in CIELAB; clusters of one name are one colour. Empty for a region of fewer than 50 pixels.
    """
    pixels = to_lab(image)[np.ones(image.shape[:2], bool) if where is None else where]
    if len(pixels) < _LEAST:
        return ()
    pixels = pixels[np.linspace(0, len(pixels) - 1, min(len(pixels), _SAMPLES)).astype(int)]
    labels, centres = _clusters(pixels)
    shares = np.bincount(labels, minlength=len(centres)) / len(labels)
    named: dict[str, list[int]] = {}
    for index in np.argsort(-shares, kind="stable"):
        named.setdefault(colour_name(centres[index]), []).append(int(index))
    colours = [_colour(name, members, centres, shares) for name, members in named.items()]
    return tuple(sorted((c for c in colours if c.share >= least), key=lambda c: -c.share))


def colour_name(lab: NDArray[np.floating]) -> str:
    """The word of NAMED nearest to an (L*, a*, b*). Lightness counts half: shading moves it most."""
    weights = np.array([0.5, 1.0, 1.0])
    distances = np.linalg.norm((_TABLE - np.asarray(lab)) * weights, axis=1)
    return list(NAMED)[int(distances.argmin())]


def to_lab(image: Image) -> Lab:
    """(..., 3) RGB to L* (0-100), a*, b*."""
    scaled = np.ascontiguousarray(image, np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def _clusters(pixels: Lab) -> tuple[NDArray[np.int64], Lab]:
    """(n,) labels and (k, 3) centres. Begun on pixels spread over the lightness, so that it draws no random number."""
    count = min(_CLUSTERS, len(pixels))
    ranked = np.argsort(pixels[:, 0], kind="stable")
    labels = np.empty((len(pixels), 1), np.int32)
    labels[ranked, 0] = np.arange(len(pixels)) * count // len(pixels)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    _, labels, centres = cv2.kmeans(pixels, count, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return labels[:, 0].astype(np.int64), np.asarray(centres, np.float32)


def _colour(name: str, members: list[int], centres: Lab, shares: NDArray[np.float64]) -> Colour:
    mean = np.average(centres[members], axis=0, weights=np.maximum(shares[members], 1e-9)).astype(np.float32)
    rgb = np.clip(cv2.cvtColor(mean[None, None], cv2.COLOR_LAB2RGB)[0, 0] * 255, 0, 255).round().astype(int)
    return Colour(name, "#{:02x}{:02x}{:02x}".format(*rgb), round(float(shares[members].sum()), 3))


def _table() -> Lab:
    rgb = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in NAMED.values()]
    return to_lab(np.array([rgb], np.uint8)).reshape(-1, 3)


_TABLE = _table()
