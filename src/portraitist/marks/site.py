"""The piece of a picture around a mark, and the skin that would be there without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from portraitist.marks.density import Density, density_of, lab_of, size_of
from portraitist.marks.local_skin import masked_blur
from portraitist.types import Image, Mask

CORE = 1.5
"""In radii of the mark: nearer pixels say nothing of the skin."""
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Site:
    """A window of a picture. corner: (x, y) of its first pixel. at: (2,) where the mark is, pixels of the picture.

    radius: (h, w) distance from the mark in its own radii, in the frame of the skin. seen: (h, w, 3) density of the
    pixels; skin: of the skin without the mark. pixels_across: the mark's diameter in pixels.
    """

    corner: tuple[int, int]
    at: NDArray[np.float64]
    radius: NDArray[np.float32]
    seen: Density
    skin: Density
    pixels_across: float

    @property
    def rows(self) -> tuple[slice, slice]:
        """The window as an index of the picture."""
        x, y = self.corner
        return slice(y, y + self.seen.shape[0]), slice(x, x + self.seen.shape[1])

    @cached_property
    def skin_lab(self) -> NDArray[np.float32]:
        """(3,) CIE L*, a*, b* of the skin at the mark."""
        near = np.exp(-(((self.radius - self.radius.min()) / CORE) ** 2))[..., None]
        return lab_of(np.asarray((self.skin * near).sum((0, 1)) / near.sum(), np.float32))


def window(
    middle: NDArray[np.floating], half: NDArray[np.floating], size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(x0, y0), (x1, y1) of the pixels within `half` (2,) of the middle, cut off at the border of (h, w)."""
    low = np.maximum(np.floor(np.asarray(middle) - half), 0).astype(int)
    high = np.minimum(np.ceil(np.asarray(middle) + half) + 1, [size[1], size[0]]).astype(int)
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def spot_site(
    image: Image,
    at: NDArray[np.floating],
    frame: NDArray[np.float64],
    diameter_mm: float,
    usable: Mask,
    margin: float = 0.0,
) -> Site:
    """The site of a point mark: an ellipse through `frame` (2, 2), millimetres to pixels; two diameters around it
    and at least `margin` pixels more than one. usable: (h, w) of the picture, 0 where there is no skin."""
    across = diameter_mm * float(np.linalg.svd(frame)[1][0])
    place = np.asarray(at, np.float64)
    half = max(2 * across, across + margin) + 2
    start, end = window(place, np.full(2, half), image.shape[:2])
    x, y = np.meshgrid(np.arange(start[0], end[0]), np.arange(start[1], end[1]))
    flat = np.stack([x - place[0], y - place[1]], axis=-1) @ np.linalg.inv(_open(frame)).T
    radius = np.hypot(flat[..., 0], flat[..., 1]) / (diameter_mm / 2)
    return site_of(image, start, place, np.asarray(radius, np.float32), across, usable)


def site_of(
    image: Image,
    start: tuple[int, int],
    at: NDArray[np.float64],
    radius: NDArray[np.float32],
    across: float,
    usable: Mask,
) -> Site:
    """A site whose distances are known: of a point mark or along a wrinkle."""
    rows = slice(start[1], start[1] + radius.shape[0]), slice(start[0], start[0] + radius.shape[1])
    seen = density_of(image[rows])
    weight = np.asarray((radius > CORE) * usable[rows], np.float32)
    return Site(start, at, radius, seen, _skin(seen, weight, min(max(0.75 * across, 1.5), max(radius.shape))), across)


def _skin(seen: Density, weight: Mask, sigma: float) -> Density:
    """(h, w, 3) the skin under and around a mark: a blur of what has weight, without what stands out from it.

    Hairs and other marks stand out: beyond 2.5 deviations (by the median) they lose their say.
    """
    kept = weight.copy()
    for _ in range(_ROUNDS):
        skin = masked_blur(seen, kept, sigma)
        gap = size_of(seen - skin)
        known = weight > 0.5
        spread = 1.48 * float(np.median(gap[known])) if known.any() else 0.0
        kept = weight * (gap <= 2.5 * max(spread, 0.01))
    return masked_blur(seen, kept if kept.sum() > 0.3 * weight.sum() else weight, sigma)


def _open(frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """The frame, kept from closing where the skin is seen edge-on."""
    u, sizes, vt = np.linalg.svd(frame)
    return np.asarray((u * np.maximum(sizes, 0.2 * sizes[0])) @ vt, np.float64)
