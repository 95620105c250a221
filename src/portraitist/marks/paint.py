"""Marks added to pixels and taken away from them. The picture's own grain stays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.density import Density, density_of, encoded, size_of
from portraitist.marks.site import Site
from portraitist.types import Image, Mask

_WIDEST_RIM = 12
"""Pixels: a mark may be as large as a birthmark, its edge is not."""
_GRAIN = 1.0
"""Finer than this deviation (pixels) is grain: it lies over mark and skin alike."""


def added(image: Image, site: Site, stamp: Density) -> Image:
    """The picture with a stamp's density added at its site; pixels that the stamp does not touch keep their bytes."""
    pixels = image[site.rows].astype(np.float32)
    smooth = cv2.GaussianBlur(pixels, (0, 0), _GRAIN)
    low = density_of(np.clip(np.round(smooth), 0, 255).astype(np.uint8))
    # Grain keeps its size: a sensor's noise does not shrink with the light as the signal does.
    new = pixels + encoded(low + stamp) - encoded(low)
    return _written(image, site, new, size_of(stamp) > 0)


def painted_out(image: Image, site: Site, stamp: Density, share: float = 1.0) -> Image:
    """The picture with `share` of a mark taken away: skin from around it, with grain from beside it.

    stamp: what the mark looks like at the site. Only where it is, and a little around, is painted, so that the edge of
    a lip next to a mole stays.
    """
    cover = _cover(stamp, site.pixels_across)
    clean = encoded(site.skin) + _grain_beside(image, site)
    pixels = image[site.rows].astype(np.float32)
    return _written(image, site, pixels + share * cover[..., None] * (clean - pixels), cover > 0)


def _cover(stamp: Density, across: float) -> Mask:
    """(h, w) 1 on the mark and a third of its radius around, fading over as much again; at least a pixel each."""
    size = size_of(stamp)
    rim = int(np.clip(round(across / 6), 1, _WIDEST_RIM))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    core = cv2.dilate(np.asarray(size > 0.15 * size.max(initial=0), np.float32), disc)
    soft = cv2.GaussianBlur(cv2.dilate(core, disc), (0, 0), rim / 2)
    return np.asarray(np.where(soft > 0.02, np.maximum(core, soft), 0), np.float32)


def _grain_beside(image: Image, site: Site) -> NDArray[np.float32]:
    """(h, w, 3) what is left of the calmest neighbouring window when its own smooth skin is taken away, grey levels."""
    h, w = site.radius.shape
    found = []
    for angle in np.arange(8) * np.pi / 4:
        dx, dy = np.round(2.5 * site.pixels_across * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        x, y = site.corner[0] + dx, site.corner[1] + dy
        if x < 0 or y < 0 or x + w > image.shape[1] or y + h > image.shape[0]:
            continue
        pixels = image[y : y + h, x : x + w].astype(np.float32)
        rest = pixels - cv2.GaussianBlur(pixels, (0, 0), max(0.5 * site.pixels_across, 1.5))
        found.append((float(np.abs(rest[site.radius < 2]).max(initial=0)), rest))
    return min(found, key=lambda pair: pair[0])[1] if found else np.zeros((h, w, 3), np.float32)


def _written(image: Image, site: Site, pixels: NDArray[np.float32], touched: NDArray[np.bool_]) -> Image:
    result = image.copy()
    new = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    result[site.rows] = np.where(touched[..., None], new, image[site.rows])
    return result
