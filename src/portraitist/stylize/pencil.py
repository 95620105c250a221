"""Pencil, coloured pencil and ink, by classical rendering: exact, without weights, the same for the same picture.

Lines are differences of Gaussians of the *logarithm* of brightness, taken across the direction of the lines and
smoothed along them: a brow on dark skin stands out by the same factor as on light skin, so it is drawn as dark.
Shading is paper and strokes, each pixel's darkness a power of the stroke texture.

Source: Winnemöller, Kyprianidis, Olsen, "XDoG", Computers & Graphics 2012 (sharpened differences, eq. 7, and the soft
threshold, eq. 5); Lu, Xu, Jia, "Combining sketch and tone for pencil drawing production", NPAR 2012 (tone as a power of
a pencil texture, eq. 8-9).
"""

from __future__ import annotations

import functools
from dataclasses import replace

import cv2
import numpy as np

from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.stylize.config import PaintConfig, PencilConfig
from portraitist.stylize.engine import PaintEngine
from portraitist.stylize.painting import Painting
from portraitist.stylize.tangents import Plane, Tangents, blur_across, blur_along, tangents_of
from portraitist.types import Image

SIDE, PART = 768, 1.35
"""Of the frames it draws when nobody asks for others: wide enough for hair and shoulders."""
_PAPER, _GRAPHITE = np.array([250, 248, 243], np.float32), np.array([44, 44, 48], np.float32)
_INK = np.array([18, 20, 30], np.float32)


class PencilPainter:
    """Draws frames of any size."""

    side, part = SIDE, PART

    def __init__(self, config: PencilConfig) -> None:
        self.config = config

    def __call__(self, frame: Image) -> Painting:
        """(h, w, 3) -> the drawing."""
        drawn = {"pencil": _graphite, "colour-pencil": _coloured, "ink": _inked}[self.config.medium]
        return Painting(drawn(frame, self.config))


def build(config: PaintConfig, placement: Placement, *, report: Report = silent) -> PaintEngine:
    """The engine that draws. Raises PlacementError off the CPU."""
    placement.require_cpu("pencil")
    return PaintEngine(PencilPainter(config.pencil), config, placement, report)


def _graphite(frame: Image, config: PencilConfig) -> Image:
    dark = _drawing(frame, config)
    return _printed(dark[..., None], _PAPER, _GRAPHITE)


def _coloured(frame: Image, config: PencilConfig) -> Image:
    """Pigment as light or dark as the picture's own colours, dark skin included, under the graphite's lines."""
    flat = _flattened(frame)
    light = _brightness(flat)
    tone = np.asarray(0.8 * light**0.8 + 0.2 * _levelled(light), np.float32)
    # Wax covers more evenly than graphite, and more of the paper.
    pigment = replace(config, grain=0.6 * config.grain, tone=min(1.0, 1.25 * config.tone))
    lines = np.clip(line_darkness(light, config), 0, 1)
    drawn = (1 - 0.85 * lines) * (1 - shading(tone, pigment))
    paper = 22 + 228 * drawn
    # As much colour for its lightness as in the picture: a colour that is only made lighter turns grey.
    richer = np.clip(paper / 255 / np.maximum(light, 0.05), 0.5, 2.5) ** 0.6
    lab = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).astype(np.float32)
    layers = np.dstack([paper, 128 + (lab[..., 1:] - 128) * richer[..., None]])
    return np.asarray(cv2.cvtColor(np.clip(layers, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)


def _inked(frame: Image, config: PencilConfig) -> Image:
    """Firm lines, black where the picture is darkest, and one flat wash for what is half dark."""
    light = _brightness(_flattened(frame))
    lines = line_darkness(light, config, sharpness=28.0, depth=1.25)
    smooth = cv2.GaussianBlur(light, (0, 0), 0.004 * min(light.shape))
    # Black by the picture's own brightness: hair and cloth are darker than any lit skin. The wash is beside what is
    # around it, so that it models a face of any tone.
    spots = _step(0.13 - smooth, 0.012) * np.float32(config.tone > 0)
    wash = _step(0.63 - _levelled(smooth, own_share=0.2), 0.015) * np.float32(0.30 * config.tone)
    dark = np.maximum.reduce([np.clip(lines, 0, 1), spots, wash])
    return _printed(np.asarray(dark, np.float32)[..., None], _PAPER, _INK)


def _drawing(frame: Image, config: PencilConfig) -> Plane:
    """(h, w) darkness in [0, 1] of lines and shading together."""
    light = _brightness(_flattened(frame))
    lines = np.clip(line_darkness(light, config), 0, 1)
    shade = shading(_levelled(light), config)
    return np.asarray(1 - (1 - 0.92 * lines) * (1 - shade), np.float32)


def line_darkness(light: Plane, config: PencilConfig, *, sharpness: float = 16.0, depth: float = 1.0) -> Plane:
    """(h, w), 0 on paper, 1 on a firm line. light: brightness in (0, 1]. sharpness: of the lines' borders."""
    side = min(light.shape)
    sigma = max(0.5, config.line_width * side)
    density = np.log(np.maximum(light, 0.02)).astype(np.float32)
    tangents = tangents_of(cv2.GaussianBlur(density, (0, 0), sigma), 3.0 * sigma)
    fine = _difference(density, tangents, sigma)
    broad = _difference(cv2.GaussianBlur(density, (0, 0), sigma), tangents, 2.6 * sigma)
    seen = np.maximum(fine, np.float32(0.75) * broad)
    along = blur_along(seen, tangents, 4.0 * sigma)
    return np.asarray(np.tanh(np.clip(along - 0.022, 0, None) * sharpness) * config.line_depth * depth, np.float32)


def _difference(density: Plane, tangents: Tangents, sigma: float) -> Plane:
    """How much darker a place is than what lies across the line from it."""
    return blur_across(density, tangents, 1.6 * sigma) - blur_across(density, tangents, sigma)


def shading(tone: Plane, config: PencilConfig) -> Plane:
    """(h, w) darkness of strokes for a tone in [0, 1], 1 the paper."""
    h, w = tone.shape
    wanted = np.clip(1 - config.tone * (1 - tone), 0.04, 1)
    strokes = _stroke_texture(h, w, 0)
    crossed = np.minimum(strokes, _stroke_texture(h, w, 1))
    # The darker it should be, the more a second layer of strokes crosses the first.
    second = np.clip((0.55 - wanted) / 0.35, 0, 1)
    texture = strokes + second * (crossed - strokes)
    texture = 1 + config.grain * (texture - 1) + (1 - config.grain) * (np.float32(_MEAN) - 1)
    power = np.log(wanted) / np.log(_MEAN)
    return np.asarray(1 - texture**power, np.float32)


_MEAN = 0.72


@functools.lru_cache(maxsize=8)
def _stroke_texture(h: int, w: int, layer: int) -> Plane:
    """Strokes in one direction on grainy paper, in (0, 1) with mean near `_MEAN`: noise drawn out along a line."""
    side = min(h, w)
    random = np.random.default_rng(layer)
    noise = random.standard_normal((h, w)).astype(np.float32)
    length = max(5, round(0.055 * side)) | 1
    angle = np.radians((52, 128)[layer])
    kernel = np.zeros((length, length), np.float32)
    half = length // 2
    tip = np.array([np.cos(angle), np.sin(angle)]) * half
    cv2.line(kernel, (round(half - tip[0]), round(half + tip[1])), (round(half + tip[0]), round(half - tip[1])), 1.0)
    drawn = cv2.filter2D(noise, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    drawn = cv2.GaussianBlur(drawn, (0, 0), max(0.5, 0.0011 * side))
    paper = cv2.GaussianBlur(noise, (0, 0), max(0.5, 0.0013 * side))
    mixed = drawn / drawn.std() + 0.55 * paper / paper.std()
    return np.asarray(np.clip(_MEAN + 0.15 * mixed / mixed.std(), 0.12, 0.99), np.float32)


def _brightness(image: Image) -> Plane:
    """(h, w) CIE L* in (0, 1]."""
    lab = cv2.cvtColor(np.asarray(image, np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[..., 0] / np.float32(100), np.float32)


def _levelled(light: Plane, own_share: float = 0.45) -> Plane:
    """The tone an artist gives: some of the picture's own brightness, the rest its brightness beside what is around it,
    so that a dark face keeps its light and shade instead of being filled in."""
    around = cv2.GaussianBlur(light, (0, 0), 0.16 * min(light.shape))
    beside = light / np.maximum(around, 0.05) * np.float32(0.72)
    low, high = np.percentile(light, (1, 97))
    own = (light - low) / max(high - low, 0.1)
    return np.asarray(np.clip(own_share * own + (1 - own_share) * np.clip(beside, 0, 1.15), 0, 1), np.float32)


def _flattened(frame: Image) -> Image:
    """Without pores and noise, edges kept."""
    reach = max(3, round(0.009 * min(frame.shape[:2])))
    once = cv2.bilateralFilter(np.ascontiguousarray(frame), 2 * reach + 1, 22, reach)
    return np.asarray(once, np.uint8)


def _step(values: Plane, width: float) -> Plane:
    return np.asarray(1 / (1 + np.exp(-np.clip(values / width, -40, 40))), np.float32)


def _printed(dark: Plane, paper: Plane, pigment: Plane) -> Image:
    return np.asarray(np.clip(np.rint(paper + dark * (pigment - paper)), 0, 255), np.uint8)
