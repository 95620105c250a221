"""Where creases run: along the lines that faces usually have, found on the mesh, and anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.topology import LEFT_EYE_RING, RIGHT_EYE_RING, mirror_index
from portraitist.marks.render_config import RenderConfig
from portraitist.types import Face

Line = NDArray[np.float64]
_Ring = tuple[int, ...]


class _Region(NamedTuple):
    """Usual lines lie on the way from one row of mesh vertices to another, between the parts `low` and `high` of it.

    often: how often the region is drawn. longer, wider: times the drawn length and width. All but the rows are choices.
    """

    first: _Ring
    second: _Ring
    low: float
    high: float
    often: float
    longer: float
    wider: float


_FOREHEAD = _Region((67, 109, 10, 338, 297), (69, 108, 151, 337, 299), 0.25, 1.7, 0.24, 1.6, 1.0)
_FROWN = _Region((9, 8, 168), (107, 55, 193), 0.1, 0.5, 0.1, 1.0, 1.3)
_UNDER_EYE = _Region((31, 228, 229, 230, 231, 232, 233), (111, 117, 118, 119, 120, 121, 128), 0.25, 1.4, 0.26, 1.0, 1.0)
_NOSE_TO_MOUTH = _Region((129, 203, 206, 216, 212), (36, 205, 207, 192, 214), 0.0, 0.25, 0.13, 1.3, 2.0)
_BELOW_MOUTH = _Region((57, 202, 210, 169), (43, 204, 211, 170), 0.0, 0.4, 0.09, 1.0, 1.7)
_REGIONS = (_FOREHEAD, _FROWN, _UNDER_EYE, _NOSE_TO_MOUTH, _BELOW_MOUTH)
_RAYS = 0.1
"""How often creases are rays from the corner of an eye; what is left are lines anywhere."""
_GAP_MM = (1.6, 4.0)
"""Between two creases that run side by side."""


def lines(face: Face, mm: float, config: RenderConfig, rng: np.random.Generator) -> Iterator[tuple[Line, float]]:
    """Endless lines in random order, (n, 2) pixels with a point about every half millimetre, each with how many times
    wider a crease is there than elsewhere. mm: of a pixel. In most regions they come in ones, twos and threes.
    """
    often = [region.often for region in _REGIONS]
    while True:
        drawn = int(rng.choice(len(_REGIONS) + 2, p=[*often, _RAYS, 1 - sum(often) - _RAYS]))
        if drawn < len(_REGIONS):
            region = _REGIONS[drawn]
            usual = _between(face, region, rng)
            for beside in range(int(rng.choice([1, 1, 2, 3]))):
                moved = usual + beside * rng.uniform(*_GAP_MM) / mm * _across(usual)
                wanted_mm = rng.uniform(*config.wrinkle_mm) * region.longer
                yield _bent(_part(moved, wanted_mm, mm, rng), mm, config, rng), region.wider
        elif drawn == len(_REGIONS):
            yield from ((_bent(ray, mm, config, rng), 1.0) for ray in _crows_feet(face, mm, config, rng))
        else:
            yield _bent(_anywhere(face, mm, config, rng), mm, config, rng), 1.4


def resample(line: Line, step: float) -> Line:
    """The same line with points `step` pixels apart; at least two."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / max(step, 1e-6)) + 1))
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=-1)


def _between(face: Face, region: _Region, rng: np.random.Generator) -> Line:
    side = mirror_index() if rng.random() < 0.5 else np.arange(len(mirror_index()))
    one, two = (face.landmarks[side[list(row)], :2].astype(np.float64) for row in (region.first, region.second))
    return np.asarray(one + rng.uniform(region.low, region.high) * (two - one), np.float64)


def _crows_feet(face: Face, mm: float, config: RenderConfig, rng: np.random.Generator) -> Iterator[Line]:
    """Rays away from the outer corner of an eye, above and below the line through both corners."""
    ring = LEFT_EYE_RING if rng.random() < 0.5 else RIGHT_EYE_RING
    eye = face.landmarks[list(ring), :2].astype(np.float64)
    middle = face.landmarks[168, :2].astype(np.float64)
    corner = eye[np.argmax(np.linalg.norm(eye - middle, axis=1))]
    out = (corner - eye.mean(0)) / max(float(np.linalg.norm(corner - eye.mean(0))), 1e-6)
    for angle in rng.uniform(-0.6, 0.9) + np.arange(rng.integers(1, 4)) * rng.uniform(0.2, 0.35):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        reach = np.array([7.0, 7.0 + min(rng.uniform(*config.wrinkle_mm), 14.0)]) / mm
        yield resample(corner + reach[:, None] * (turn @ out), 0.5 / mm)


def _anywhere(face: Face, mm: float, config: RenderConfig, rng: np.random.Generator) -> Line:
    low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
    start, heading = rng.uniform(low, high), rng.uniform(0, 2 * np.pi)
    along = rng.uniform(*config.wrinkle_mm) / mm
    return resample(np.stack([start, start + along * np.array([np.cos(heading), np.sin(heading)])]), 0.5 / mm)


def _part(line: Line, wanted_mm: float, mm: float, rng: np.random.Generator) -> Line:
    """A piece of a line, as long as wanted where the line is, with its corners rounded off over 3 mm."""
    dense = resample(line, 0.5 / mm)
    reach = min(6, len(dense) - 1)
    weights = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(dense, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = np.stack([np.convolve(column, weights / weights.sum(), "valid") for column in padded.T], axis=-1)
    wanted = max(2, round(wanted_mm / 0.5))
    start = int(rng.integers(0, max(1, len(smooth) - wanted)))
    return smooth[start : start + wanted]


def _bent(line: Line, mm: float, config: RenderConfig, rng: np.random.Generator) -> Line:
    """The line moved to its sides: in two slow waves, or as a walk whose heading wanders."""
    at = np.linspace(0, 1, len(line))
    if config.path == "waves":
        aside = sum(
            rng.normal(0, 0.7 / order**1.5) * np.sin(order * np.pi * at + rng.uniform(0, 6.3)) for order in (1, 3)
        )
        aside = aside + 0.05 * np.sin(9 * np.pi * at + rng.uniform(0, 6.3))
    else:
        aside = np.cumsum(np.cumsum(rng.normal(0, 0.008, len(line))) + rng.normal(0, 0.03))
        aside = aside + np.cumsum(rng.normal(0, 0.03, len(line)))
    return np.asarray(line + aside[:, None] / mm * _across(line), np.float64)


def _across(line: Line) -> Line:
    """(n, 2) unit vectors across the line at its points."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1)
