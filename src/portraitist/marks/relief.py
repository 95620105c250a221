"""Wrinkles: a dark valley along a line, with light shoulders on the side that the light reaches."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from portraitist.marks.density import LEAST_LIGHT, LUMINANCE, Density, density_of_lab, highlight_gain
from portraitist.marks.mark import Wrinkle
from portraitist.marks.site import Site, site_of, window
from portraitist.marks.stamp import softened
from portraitist.marks.surface import skin_frame
from portraitist.retouch.colour import luminance
from portraitist.types import Face, Image, Mask

_TAPER = 0.3
"""Part of the length, at each end, over which a wrinkle runs out."""
_SHOULDER = 0.25
"""Height of the two shoulders together over the depth of the valley: a choice, looked at on tune faces."""
_FULL_SLOPE = 15.0
"""Slope of the light (L* over the surface normal) at which only one shoulder is left: a choice."""
_HOLLOW = 0.35
"""Share of the depth that is the wide hollow: a choice, looked at. A crease alone looks like a hair on the skin."""
_SOFTEST_LINE = 0.7
"""Deviation, pixels: a line without any blur looks drawn with a pen."""
_UNEVEN, _BUMPS = 0.2, 9
"""How much its depth varies along a wrinkle, and at how many places it does."""
_WIDE = 3.0
"""A wrinkle with its shoulders is this many times as wide as its valley."""


@dataclass(frozen=True, eq=False)
class Course:
    """A wrinkle in a picture, one row a pixel of length. points, normals: (m, 2). width: (m,) pixels, full width.
    depth: (m,) L*, run out at the ends and nothing where the wrinkle is hidden."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    width: NDArray[np.float64]
    depth: NDArray[np.float64]


def course_of(wrinkle: Wrinkle, places: NDArray[np.floating], face: Face, shown: NDArray[np.bool_]) -> Course:
    """The wrinkle through (n, 2) `places`, those not `shown` (n,) without depth. Between them the line is smooth."""
    knots = _lengths(np.asarray(places, np.float64))
    steps = np.linspace(0, knots[-1], max(int(knots[-1]) + 1, 8))
    points = _smooth(knots, np.asarray(places, np.float64), steps)
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normals = np.stack([-along[:, 1], along[:, 0]], axis=1)
    frames = [np.linalg.pinv(skin_frame(anchor, face)) for anchor in wrinkle.anchors]
    beside = normals[np.searchsorted(steps, knots).clip(0, len(steps) - 1)]
    narrow = [1 / max(float(np.linalg.norm(frame @ n)), 1e-9) for frame, n in zip(frames, beside, strict=True)]
    ends = np.clip(np.minimum(steps, knots[-1] - steps) / max(_TAPER * knots[-1], 1e-6), 0, 1)
    ends = ends * ends * (3 - 2 * ends)
    width = np.interp(steps, knots, np.asarray(wrinkle.width_mm) * narrow)
    depth = np.interp(steps, knots, np.asarray(wrinkle.depth) * shown) * _unevenness(wrinkle, steps / knots[-1])
    return Course(points, normals, np.maximum(width * (0.5 + 0.5 * ends), 0.8), depth * ends)


def _unevenness(wrinkle: Wrinkle, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) around 1, the same for a wrinkle in every picture. along: (m,) from 0 to 1."""
    heights = np.random.default_rng(crc32(wrinkle.mark_id.encode())).uniform(-1, 1, _BUMPS)
    return np.asarray(1 + _UNEVEN * np.interp(along, np.linspace(0, 1, _BUMPS), heights), np.float64)


def crease_site(image: Image, course: Course, usable: Mask, margin: float) -> Site:
    """The window around a wrinkle, and the skin beside it."""
    wide = float(course.width.mean()) * _WIDE
    low, high = course.points.min(0), course.points.max(0)
    half = (high - low) / 2 + max(2 * wide, wide + margin) + 2
    start, end = window((low + high) / 2, half, image.shape[:2])
    index, away, _ = _beside(course, start, (end[1] - start[1], end[0] - start[0]))
    radius = np.asarray(2 * away / (_WIDE * course.width[index]), np.float32)
    middle = course.points[len(course.points) // 2]
    return site_of(image, start, middle, radius, wide, usable)


def crease_stamp(wrinkle: Wrinkle, course: Course, site: Site, light: tuple[float, float], blur: float) -> Density:
    """(h, w, 3) density the wrinkle adds to the site at full strength.

    light: slope of lightness over the normals, `types.Light.direction`. The valley is a narrow crease in a wide hollow,
    both Gaussians; the wall away from the light looks into it and is the brighter shoulder. Shade in a crease is warm:
    light that gets out has met skin more than once, so each channel darkens by the skin's own density in it.
    """
    index, away, side = _beside(course, site.corner, site.radius.shape)
    sigma = course.width[index] / 3
    towards = np.clip(course.normals @ np.asarray(light) / _FULL_SLOPE, -1, 1)[index]
    valley = (1 - _HOLLOW) * np.exp(-((away / sigma) ** 2) / 2) + _HOLLOW * np.exp(-((away / sigma / 2.5) ** 2) / 2)
    rims = [np.exp(-((side / sigma / 1.3 - 2.7 * s) ** 2) / 2) * (1 - s * towards) / 2 for s in (-1, 1)]
    profile = valley - _SHOULDER * (rims[0] + rims[1])
    own = wrinkle.skin if wrinkle.skin is not None else site.skin_lab
    lightness = float(own[0])
    darker = luminance(np.asarray(np.maximum(lightness - course.depth, 2), np.float32))
    drop = np.log(luminance(np.float32(max(lightness, 2))) / np.maximum(darker, LEAST_LIGHT))
    warm = np.sqrt(density_of_lab(np.asarray(own, np.float32)))
    warm = warm / float(warm @ LUMINANCE)
    drop *= highlight_gain(lightness, float(site.skin_lab[0]))
    grey = np.asarray(profile * drop[index], np.float32)[..., None]
    stamp = softened(np.asarray(grey * warm, np.float32), max(blur, _SOFTEST_LINE), 0.0)
    return np.asarray(np.where(np.abs(stamp) < 0.004, 0, stamp), np.float32)


def _beside(
    course: Course, corner: tuple[int, int], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """(h, w) each: the nearest row of the course, the distance to it, and that across it with the side as sign."""
    x, y = np.meshgrid(np.arange(size[1]) + corner[0], np.arange(size[0]) + corner[1])
    pixels = np.stack([x, y], axis=-1).astype(np.float64)
    away, index = cKDTree(course.points).query(pixels)
    across = ((pixels - course.points[index]) * course.normals[index]).sum(-1)
    return index, away, np.where(across < 0, -away, away)


def _lengths(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) length of the line up to each point, always growing."""
    steps = np.maximum(np.linalg.norm(np.diff(points, axis=0), axis=1), 1e-3)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _smooth(knots: NDArray[np.float64], points: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(PchipInterpolator(knots, points, axis=0)(steps), np.float64)
