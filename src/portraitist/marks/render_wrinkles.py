"""Creases: a valley along a line, dark in its middle, with a side turned to the light and one turned away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.render_config import RenderConfig
from portraitist.marks.render_lines import Line, lines, resample
from portraitist.marks.render_points import between
from portraitist.marks.render_surface import Ground, Window, mottle

_TRIES = 12
"""Lines that are tried for each crease; most of those that are refused run off the skin."""
_SEEN = 0.3
"""Part of the full depth below which the end of a crease is not part of the truth."""
_CUT = 3.0
"""Half the width of the crease itself that is drawn, in full widths at half depth."""
_FAR = 2.2
"""Half the width of the hollow around it that is drawn, in its reaches."""


@dataclass(frozen=True, eq=False)
class Crease:
    """One crease. line: (n, 2) pixels. depth: (n,) in [0, 1] along it. width: (n,) pixels, full, at half depth."""

    line: Line
    depth: NDArray[np.float64]
    width: NDArray[np.float64]

    @property
    def seen(self) -> Line:
        """(m, 2) the part of the line that is deep enough to be seen, a point about every eight of its own."""
        deep = np.nonzero(self.depth > _SEEN)[0]
        whole = self.line[deep[0] : deep[-1] + 1] if len(deep) > 1 else self.line
        picked = np.linspace(0, len(whole) - 1, max(2, len(whole) // 8)).round().astype(int)
        return np.asarray(whole[np.unique(picked)], np.float64)


def draw_wrinkles(
    ground: Ground, config: RenderConfig, rng: np.random.Generator
) -> Iterator[tuple[Crease, Window, NDArray[np.bool_]]]:
    """Draws the creases of one face; yields each with its window and the pixels of it that it lies on."""
    wanted = int(rng.integers(config.wrinkles[0], config.wrinkles[1] + 1))
    view = ground.view
    for line, wider in islice(lines(view.face, view.mm, config, rng), _TRIES * wanted):
        crease = _crease(ground, line, wider, config, rng) if wanted else None
        if crease is not None:
            wanted -= 1
            yield crease, *_draw(ground, crease, config, rng)


def _crease(ground: Ground, line: Line, wider: float, config: RenderConfig, rng: np.random.Generator) -> Crease | None:
    """The longest piece of a line that lies on free skin, if it is long enough."""
    width = between(config.wrinkle_width_mm, rng) / ground.view.mm * wider
    dense = resample(line, 1.0)
    at = np.round(dense).astype(int)
    inside = np.asarray(((at >= 0) & (at < ground.view.side)).all(1))
    x, y = np.where(inside[:, None], at, 0).T
    free = cv2.erode(ground.free.astype(np.uint8), np.ones((2 * round(width) + 1,) * 2, np.uint8), borderValue=0)
    begin, end = _longest(inside & (free[y, x] > 0))
    if (end - begin) * ground.view.mm < config.wrinkle_mm[0]:
        return None
    at_part = np.linspace(0, 1, end - begin)
    taper = np.sin(np.pi * at_part ** rng.uniform(0.6, 1.6)) ** rng.uniform(0.8, 1.7)
    wobble = mottle((1, end - begin), 3.0 / ground.view.mm, rng)[0]
    depth = np.clip(taper * (1 + 0.35 * wobble), 0, 1.4)
    return Crease(dense[begin:end], depth / max(float(depth.max()), 1e-6), width * (0.6 + 0.4 * taper))


def _longest(free: NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(int)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return 0, 0
    begin, end = runs[int(np.argmax(runs[:, 1] - runs[:, 0]))]
    return int(begin), int(end)


def _draw(
    ground: Ground, crease: Crease, config: RenderConfig, rng: np.random.Generator
) -> tuple[Window, NDArray[np.bool_]]:
    hollow = between(config.hollow_mm, rng) / ground.view.mm
    margin = int(np.ceil(max(_CUT * crease.width.max(), _FAR * hollow))) + 2
    window = _window(crease.line, margin, ground.view.side)
    band, off, row = _beside(crease, window, margin)
    width, deep = crease.width[row], crease.depth[row]
    is_own = np.abs(off) < _CUT * width
    valley, bulge, around, own = (np.zeros(band.shape, np.float32) for _ in range(4))
    valley[band] = deep * _section(off / width, config)
    bulge[band] = deep * np.exp(-((off / width / 1.2) ** 2)) * np.clip(_CUT - np.abs(off / width), 0, 1)
    around[band] = deep * _hollow(off / hollow, config) * ground.inner[window][band]
    own[band] = is_own
    strength = _strength(crease, ground.view.mm, config, rng)
    height = 0.8 * strength * float(crease.width.mean()) * ground.view.mm * (0.5 * bulge - valley)
    shading = ground.shade(np.asarray(height, np.float32), 1.6 * between(config.relief, rng)) * own
    shadow = valley - rng.uniform(0, 0.2) * bulge + between(config.hollow, rng) * around
    tint = np.array([rng.uniform(0.72, 0.9), 1.0, rng.uniform(1.0, 1.15)])
    ground.density[window] += np.asarray(strength * shadow[..., None] * tint + shading[..., None], np.float32)
    ground.free[window] &= own == 0
    return window, own > 0


def _window(line: Line, margin: int, side: int) -> Window:
    low, high = np.floor(line.min(0)).astype(int) - margin, np.ceil(line.max(0)).astype(int) + margin
    return slice(max(0, low[1]), min(side, high[1] + 1)), slice(max(0, low[0]), min(side, high[0] + 1))


def _strength(crease: Crease, mm: float, config: RenderConfig, rng: np.random.Generator) -> float:
    """Most creases are shallow; a wide one is a fold, with less shadow in its middle."""
    low, high = config.wrinkle_density
    sharp = np.clip(1.2 / (float(crease.width.max()) * mm), 0.5, 1)
    return float((low + (high - low) * rng.random() ** 1.2) * sharp)


def _beside(
    crease: Crease, window: Window, margin: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.intp]]:
    """Which pixels of the window are near the line; for those the signed distance from it, and the nearest point."""
    origin = np.array([window[1].start, window[0].start])
    shape = window[0].stop - window[0].start, window[1].stop - window[1].start
    drawn = np.zeros(shape, np.uint8)
    local = np.round(crease.line - origin).astype(np.int32)
    cv2.polylines(drawn, [local], False, 1, 2 * margin - 2)
    ys, xs = np.nonzero(drawn)
    places = np.stack([xs, ys], axis=-1) + origin
    marks = np.ones(shape, np.uint8)
    marks[local[:, 1].clip(0, shape[0] - 1), local[:, 0].clip(0, shape[1] - 1)] = 0
    _, labels = cv2.distanceTransformWithLabels(marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(labels.max()) + 1, np.intp)
    owner[labels[local[:, 1].clip(0, shape[0] - 1), local[:, 0].clip(0, shape[1] - 1)]] = np.arange(len(local))
    row = owner[labels[ys, xs]]
    tangent = np.gradient(crease.line, axis=0)[row]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    apart = places - crease.line[row]
    return drawn > 0, apart[:, 0] * -tangent[:, 1] + apart[:, 1] * tangent[:, 0], row


def _section(off: NDArray[np.float64], config: RenderConfig) -> NDArray[np.float64]:
    """Depth at so many full widths beside the middle: 1 there, a half at 0.5, nothing at the end of what is drawn."""
    inside = np.clip(_CUT - np.abs(off), 0, 1)
    if config.crease == "gauss":
        return np.asarray(inside * np.exp(-4 * np.log(2) * off**2))
    return np.asarray(inside / (1 + 4 * (np.sqrt(2) - 1) * off**2) ** 2)


def _hollow(off: NDArray[np.float64], config: RenderConfig) -> NDArray[np.float64]:
    """Shade of the hollow that a crease lies in, at so many of its reaches beside the middle, where it is 1."""
    inside = np.clip(1.5 * (_FAR - np.abs(off)), 0, 1)
    return np.asarray(inside * (np.exp(-(off**2)) if config.crease == "gauss" else np.exp(-np.abs(off))), np.float64)
