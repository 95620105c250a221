"""Round marks of any size: maxima over place and scale of a difference of Gaussians in LAB.

A difference of Gaussians with a fixed ratio of widths is, but for a constant, the Laplacian normalised by scale
(Lindeberg 1998; Lowe 2004, section 3), so responses of different scales compare. What counts is the response over its
local deviation: the same freckle is a mark on smooth skin and nothing among pores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.local_skin import noise_of
from portraitist.retouch.colour import Lab
from portraitist.types import Mask

STEP = 2**0.5
"""Ratio of one scale to the next."""
DIAMETERS = 2 * 2**0.5
"""Diameter of the disc that answers most at a scale, over that scale (Lindeberg 1998)."""
_FINEST = 0.8
"""Pixels; a blob of a smaller scale is not told from a pixel's noise."""
_QUIET = np.array([0.15, 0.04, 0.04], np.float32)
"""Least deviation of a response in L*, a* and b*: on skin without texture the steps of JPEG blocks are no marks."""

Direction = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Layer:
    """Responses at one scale. sigma: pixels of the full picture. factor: pixels of it across one of the layer's.
    response, noise: (h, w, 3) LAB, below 0 where the middle is lower than around. skin: (h, w)."""

    sigma: float
    factor: int
    response: Lab
    noise: Lab
    skin: Mask


@dataclass(frozen=True, eq=False)
class _Field:
    """response: (h, w) in one direction of LAB, comparable between scales. contrast: it over its local deviation."""

    response: NDArray[np.float32]
    contrast: NDArray[np.float32]


@dataclass(frozen=True)
class Blob:
    """x, y: pixels. sigma: its scale, pixels. colour: LAB response at it. contrast: colour over the local deviation,
    each of the three. response, strength: in the direction looked in, over its usual and its local deviation.
    elongation: ratio of curvatures, 1 for a disc."""

    x: float
    y: float
    sigma: float
    colour: Direction
    contrast: Direction
    response: float
    strength: float
    elongation: float

    @property
    def diameter(self) -> float:
        """Pixels across."""
        return DIAMETERS * self.sigma


def layers_of(lab: Lab, skin: Mask, smallest: float, largest: float, window: float) -> list[Layer]:
    """The responses for blobs of `smallest` to `largest` diameter, and one scale more at either end to compare with.

    window: deviation of the Gaussian that the noise is taken over. All in pixels. What is no skin should be filled in.
    """
    first = max(smallest / DIAMETERS, _FINEST)
    count = 1 + max(0, round(np.log(max(largest / DIAMETERS, first) / first) / np.log(STEP)))
    return [_layer(lab, skin, first * STEP**index, window) for index in range(-1, count + 1)]


def find_blobs(layers: list[Layer], direction: Direction, least: float, longest: float) -> list[Blob]:
    """Blobs that stand out in a direction of LAB, strongest first, none within another.

    direction: weights of L, a and b, each over its usual deviation. least: of the response in that direction, in local
    deviations of it. longest: ratio of curvatures above which it is a line or an edge.
    Place and scale are those of the largest response, not of the largest contrast, for noise is less at fine scales.
    """
    fields = _fields(layers, direction)
    found = [
        blob
        for index in range(1, len(layers) - 1)
        for blob in _of_layer(layers[index - 1 : index + 2], fields[index - 1 : index + 2], least, longest)
    ]
    whole = apart(sorted(found, key=lambda blob: (-blob.response, blob.y, blob.x)))
    return sorted(whole, key=lambda blob: (-blob.strength, blob.y, blob.x))


def apart(blobs: list[Blob]) -> list[Blob]:
    """Those that no earlier one covers: of two whose middles are nearer than the larger radius the first stays."""
    kept: list[Blob] = []
    for blob in blobs:
        gaps = ((blob.x - other.x) ** 2 + (blob.y - other.y) ** 2 for other in kept)
        reaches = (max(blob.diameter, other.diameter, 4) / 2 for other in kept)
        if all(gap > reach**2 for gap, reach in zip(gaps, reaches, strict=True)):
            kept.append(blob)
    return kept


def _layer(lab: Lab, skin: Mask, sigma: float, window: float) -> Layer:
    narrow, wide = sigma / STEP**0.5, sigma * STEP**0.5
    factor = 2 ** max(0, int(np.floor(np.log2(narrow))))
    small, bare = _shrunk(lab, factor), _shrunk(skin, factor)
    # Averaging over a square of `factor` pixels has blurred already, by this variance.
    done = (factor**2 - 1) / 12
    inner = cv2.GaussianBlur(small, (0, 0), max(narrow**2 - done, 0.05) ** 0.5 / factor)
    outer = cv2.GaussianBlur(inner, (0, 0), (wide**2 - narrow**2) ** 0.5 / factor)
    response = np.asarray(inner - outer, np.float32)
    return Layer(sigma, factor, response, noise_of(response, bare, window / factor, quiet=_QUIET), bare)


def _shrunk(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return values
    size = (values.shape[1] // factor, values.shape[0] // factor)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _fields(layers: list[Layer], direction: Direction) -> list[_Field]:
    weights = np.asarray(direction, np.float32) / np.float32(np.linalg.norm(direction))
    usual = np.mean([np.median(layer.noise[::4, ::4].reshape(-1, 3), axis=0) for layer in layers], axis=0)
    return [
        _Field(
            np.asarray(layer.response @ (weights / usual).astype(np.float32), np.float32),
            np.asarray((layer.response / layer.noise) @ weights, np.float32),
        )
        for layer in layers
    ]


def _of_layer(layers: list[Layer], fields: list[_Field], least: float, longest: float) -> Iterator[Blob]:
    layer, response, contrast = layers[1], fields[1].response, fields[1].contrast
    peaks = (response >= cv2.dilate(response, np.ones((3, 3), np.uint8))) & (contrast > least) & (layer.skin > 0.5)
    peaks[[0, -1]] = peaks[:, [0, -1]] = False
    for row, column in np.argwhere(peaks):
        shift, elongation = _shape(response[row - 1 : row + 2, column - 1 : column + 2])
        strength = float(contrast[row, column])
        if elongation > longest:
            continue
        x, y = _in_picture(column + shift[0], layer.factor), _in_picture(row + shift[1], layer.factor)
        offset = _sub_scale(layers, fields, x, y, float(response[row, column]))
        if offset is None:
            continue
        colour, sigma = layer.response[row, column], layer.sigma * STEP**offset
        stands_out = _three(colour / layer.noise[row, column])
        yield Blob(x, y, sigma, _three(colour), stands_out, float(response[row, column]), strength, elongation)


def _sub_scale(layers: list[Layer], fields: list[_Field], x: float, y: float, here: float) -> float | None:
    """Where between the scales the response is largest, in steps; None when a neighbour's is larger."""
    below, above = (_around(layers[i], fields[i].response, x, y) for i in (0, 2))
    if max(below, above) > here:
        return None
    bend = below - 2 * here + above
    return float(np.clip(0.5 * (below - above) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _around(layer: Layer, field: NDArray[np.float32], x: float, y: float) -> float:
    """The largest of the nine responses of a layer around a place of the picture."""
    column, row = (round((at + 0.5) / layer.factor - 0.5) for at in (x, y))
    return float(field[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].max(initial=-np.inf))


def _shape(nine: NDArray[np.float32]) -> tuple[tuple[float, float], float]:
    """Offset of the maximum of a quadratic through a (3, 3) patch, in pixels, and the ratio of its curvatures."""
    xx = float(nine[1, 2] - 2 * nine[1, 1] + nine[1, 0])
    yy = float(nine[2, 1] - 2 * nine[1, 1] + nine[0, 1])
    xy = float(nine[2, 2] - nine[2, 0] - nine[0, 2] + nine[0, 0]) / 4
    area = xx * yy - xy * xy
    if area <= 1e-12:
        return (0.0, 0.0), np.inf
    x_slope, y_slope = float(nine[1, 2] - nine[1, 0]) / 2, float(nine[2, 1] - nine[0, 1]) / 2
    shift = (xy * y_slope - yy * x_slope) / area, (xy * x_slope - xx * y_slope) / area
    half, spread = (xx + yy) / 2, (((xx - yy) / 2) ** 2 + xy**2) ** 0.5
    ratio = (half - spread) / (half + spread) if half + spread else np.inf
    return (float(np.clip(shift[0], -0.5, 0.5)), float(np.clip(shift[1], -0.5, 0.5))), float(ratio)


def _in_picture(at: float, factor: int) -> float:
    return float((at + 0.5) * factor - 0.5)


def _three(values: NDArray[np.float32]) -> Direction:
    return float(values[0]), float(values[1]), float(values[2])
