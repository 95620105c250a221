"""Wrinkles: dark valleys of lightness, longer than wide, traced to lines.

Each pixel is looked at through elongated second derivatives of a Gaussian in several directions and widths (the line
profile of Steger 1998, averaged along the line; the largest answer over scales as in Frangi 1998). A valley goes on for
millimetres, which pores, stubble and noise do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from portraitist.marks.local_skin import noise_of
from portraitist.types import Mask, Points

_DIRECTIONS = 12
_ALONG = 3.0
"""Length of the filter, in deviations across."""
_QUIET = 0.25
"""Least deviation of a response, in units of L*: on skin without texture the steps of JPEG blocks are no creases."""
_NEIGHBOURS = np.ones((3, 3), np.int8)


@dataclass(frozen=True, eq=False)
class Valleys:
    """contrast: (h, w) response over its local deviation, the largest over directions and scales. angle: (h, w) index
    of the direction along the valley. sigma: (h, w) scale of it, pixels. crest: (h, w) is it the lowest line."""

    contrast: NDArray[np.float32]
    angle: NDArray[np.int8]
    sigma: NDArray[np.float32]
    crest: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Line:
    """points: (n, 2) pixels along it. contrast: mean over it, in local deviations. sigma: mean scale, pixels."""

    points: Points
    contrast: float
    sigma: float

    @property
    def length(self) -> float:
        """Pixels along it."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @property
    def straightness(self) -> float:
        """Distance of its ends over its length: 1 for a straight line."""
        return float(np.linalg.norm(self.points[-1] - self.points[0])) / max(self.length, 1e-6)


def find_valleys(lightness: NDArray[np.float32], skin: Mask, sigmas: tuple[float, ...], window: float) -> Valleys:
    """Dark valleys of (h, w) lightness. sigmas: deviations across, window: of the Gaussian for noise; all in pixels."""
    height, width = lightness.shape
    best = np.zeros((height, width), np.float32)
    angle = np.zeros((height, width), np.int8)
    scale = np.full((height, width), sigmas[0], np.float32)
    for sigma in sigmas:
        responses = [cv2.filter2D(lightness, -1, kernel) for kernel in _kernels(sigma)]
        sizes = np.mean([np.abs(response) for response in responses], axis=0)
        noise = noise_of(np.asarray(sizes, np.float32), skin, window, quiet=_QUIET)
        for index, response in enumerate(responses):
            contrast = response / noise
            better = contrast > best
            best[better], angle[better], scale[better] = contrast[better], index, sigma
    return Valleys(best, angle, scale, _crest(best, angle))


def trace(valleys: Valleys, skin: Mask, low: float, high: float, shortest: float) -> list[Line]:
    """Lines over skin, best first: crests above `low` that hang together, at least somewhere above `high` (hysteresis,
    Canny 1986), and at least `shortest` pixels long. A branch is a line of its own."""
    weak = valleys.crest & (valleys.contrast > low) & (skin > 0.5)
    labels, count = ndimage.label(weak, _NEIGHBOURS)
    lines = []
    for label, window in enumerate(ndimage.find_objects(labels, count), start=1):
        part = labels[window] == label
        if part.sum() < 0.7 * shortest or valleys.contrast[window][part].max() < high:
            continue
        corner = np.array([window[1].start, window[0].start])
        for path in _paths(part, shortest):
            lines.append(_line(path + corner, valleys))
    return sorted(lines, key=lambda line: -line.contrast * line.length)


def _line(path: NDArray[np.intp], valleys: Valleys) -> Line:
    columns, rows = path.T
    soft = ndimage.gaussian_filter1d(path.astype(np.float32), 2.0, axis=0, mode="nearest")
    picked = np.unique(np.append(np.arange(0, len(soft), 3), len(soft) - 1))
    contrast = float(valleys.contrast[rows, columns].mean())
    return Line(soft[picked], contrast, float(valleys.sigma[rows, columns].mean()))


def _kernels(sigma: float) -> Iterator[NDArray[np.float32]]:
    """Second derivative across, Gaussian along; the sum is 0 and a valley of the same width and depth 1 answers 1."""
    reach = int(np.ceil(2.5 * _ALONG * sigma))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    for index in range(_DIRECTIONS):
        turn = np.pi * index / _DIRECTIONS
        along = x * np.cos(turn) + y * np.sin(turn)
        across = -x * np.sin(turn) + y * np.cos(turn)
        bell = np.exp(-0.5 * (across / sigma) ** 2 - 0.5 * (along / (_ALONG * sigma)) ** 2)
        kernel = ((across / sigma) ** 2 - 1) * bell
        kernel -= bell * kernel.sum() / bell.sum()
        valley = -np.exp(-0.5 * (across / sigma) ** 2)
        yield np.asarray(kernel / (kernel * valley).sum(), np.float32)


def _crest(contrast: NDArray[np.float32], angle: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Where no neighbour across the valley answers more."""
    padded = np.pad(contrast, 1)
    height, width = contrast.shape
    kept = np.zeros(contrast.shape, bool)
    for index in range(_DIRECTIONS):
        turn = np.pi * index / _DIRECTIONS
        dx, dy = round(-np.sin(turn)), round(np.cos(turn))
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        kept |= (angle == index) & (contrast >= ahead) & (contrast > behind)
    return kept


def _paths(part: NDArray[np.bool_], shortest: float) -> Iterator[NDArray[np.intp]]:
    """(n, 2) pixels x, y along the longest way through a part, then through what is left of it."""
    left = {(int(x), int(y)) for y, x in np.argwhere(part)}
    while len(left) >= 0.7 * shortest:
        start = _farthest(left, min(left))[-1]
        path = _farthest(left, start)
        steps = np.asarray(path, np.intp)
        if np.linalg.norm(np.diff(steps, axis=0), axis=1).sum() >= shortest:
            yield steps
        # The sides of the way go with it, so that what is left are branches.
        left -= {(x + dx, y + dy) for x, y in path for dx in (-1, 0, 1) for dy in (-1, 0, 1)}


def _farthest(pixels: set[tuple[int, int]], start: tuple[int, int]) -> list[tuple[int, int]]:
    """The way from `start` to the pixel that takes most steps to reach."""
    came: dict[tuple[int, int], tuple[int, int] | None] = {start: None}
    queue = [start]
    for x, y in queue:
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            near = (x + dx, y + dy)
            if near in pixels and near not in came:
                came[near] = (x, y)
                queue.append(near)
    way: list[tuple[int, int]] = []
    at: tuple[int, int] | None = queue[-1]
    while at is not None:
        way.append(at)
        at = came[at]
    return way[::-1]
