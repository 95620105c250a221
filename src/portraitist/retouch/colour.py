"""Colour statistics in CIE LAB (D65), L in 0-100."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.types import Image

Lab = NDArray[np.float32]


def to_lab(image: Image | NDArray[np.float32]) -> Lab:
    """uint8 or [0, 1] float RGB (h, w, 3) to LAB."""
    unit = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image
    return np.asarray(cv2.cvtColor(unit.astype(np.float32), cv2.COLOR_RGB2Lab), np.float32)


def from_lab(lab: Lab) -> NDArray[np.float32]:
    """LAB to [0, 1] float RGB, clipped."""
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(rgb, 0, 1), np.float32)


_ENOUGH = 20_000
"""Pixels that statistics are taken over: evenly spread, no more are needed."""


@dataclass(frozen=True)
class SkinTone:
    """How skin looks in one picture: lightness statistics, and the line its chroma follows over lightness.

    Skin in shade is more saturated than skin in light, so one mean chroma for both looks grey or painted.
    lightness: mean and deviation of L. low, high: its 2nd and 98th percentile. line: (2, 2) a and b as
    intercept + slope L. spread: (2,) deviation of a and b around the line.
    """

    lightness: tuple[float, float]
    low: float
    high: float
    line: NDArray[np.float64]
    spread: NDArray[np.float64]

    def chroma(self, lightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 2) a and b on the line, held constant past the lightness that was seen."""
        held = np.clip(lightness, self.low, self.high)[..., None]
        return np.asarray(self.line[0] + self.line[1] * held, np.float32)


def skin_tone(lab: Lab, weight: NDArray[np.float32]) -> SkinTone:
    """Measure `lab` (h, w, 3) where `weight` (h, w) is positive; two rounds drop what lies beyond 2.5 deviations.

    Raises InputError when fewer than 30 pixels are left.
    """
    chosen = np.flatnonzero(weight.reshape(-1) > 0.05)
    chosen = chosen[:: max(1, len(chosen) // _ENOUGH)]
    values, w = lab.reshape(-1, 3)[chosen].astype(np.float64), weight.reshape(-1)[chosen].astype(np.float64)
    if len(w) < 30:
        raise InputError("skin tone: expected at least 30 pixels of skin, found fewer")
    line, spread = np.zeros((2, 2)), np.ones(2)
    for _ in range(3):
        mean = np.average(values[:, 0], weights=w)
        deviation = float(np.sqrt(np.average((values[:, 0] - mean) ** 2, weights=w)))
        # The prior of one pixel in a hundred at zero slope keeps evenly lit skin from making up a slope.
        design = np.column_stack([np.ones(len(w)), values[:, 0] - mean])
        normal = (design * w[:, None]).T @ design + np.diag([0.0, 4.0 * w.sum()])
        fit = np.linalg.solve(normal, (design * w[:, None]).T @ values[:, 1:])
        line = np.stack([fit[0] - fit[1] * mean, fit[1]])
        residual = values[:, 1:] - design @ fit
        spread = np.sqrt(np.average(residual**2, axis=0, weights=w))
        inside = (np.abs(residual) <= 2.5 * spread + 1e-3).all(1) & (
            np.abs(values[:, 0] - mean) <= 2.5 * deviation + 1e-3
        )
        if inside.sum() < 30:
            break
        kept, kept_w = values[inside], w[inside]
        values, w = kept, kept_w
    low, high = np.percentile(values[:, 0], [2, 98])
    return SkinTone((float(mean), deviation), float(low), float(high), line, spread)


def match_skin(lab: Lab, source: SkinTone, target: SkinTone) -> Lab:
    """Move skin from `source` to `target`.

    Lightness is scaled as reflectance (a ratio of luminances, so that brows and lips keep their contrast against
    lighter or darker skin), then its deviation is matched within a quarter; chroma follows the target's line over
    lightness, with its own spread around it. Source: deviations after Reinhard et al., "Color transfer between
    images", 2001; ratio and line are ours.
    """
    mean, wanted = source.lightness[0], target.lightness[0]
    ratio = float(luminance(np.float32(wanted)) / luminance(np.float32(mean)))
    scaled = lightness_of(luminance(lab[..., 0]) * ratio)
    ends = lightness_of(luminance(np.array([mean - 2, mean + 2], np.float32)) * ratio)
    spread = source.lightness[1] * float(ends[1] - ends[0]) / 4
    gain = np.clip(target.lightness[1] / max(spread, 0.5), 0.8, 1.25)
    lightness = _soft_ceiling((scaled - wanted) * gain + wanted, target.high)
    chroma = _match_chroma(lab, lightness, source, target)
    return np.asarray(np.dstack([lightness, chroma]), np.float32)


def _match_chroma(lab: Lab, lightness: NDArray[np.float32], source: SkinTone, target: SkinTone) -> NDArray[np.float32]:
    """Skin keeps its offset from the line. What is far less coloured than skin (teeth, whites of eyes) is scaled and
    turned with it instead: an offset would push neutral through grey into the opposite hue."""
    before, after = source.chroma(lab[..., 0]), target.chroma(lightness)
    gain = np.clip(target.spread / np.maximum(source.spread, 0.3), 0.75, 1.3)
    offset = after + (lab[..., 1:] - before) * gain
    power = np.maximum((before**2).sum(-1), 4.0)
    ratio = _product(after, before * [1, -1]) / power[..., None]
    size = np.linalg.norm(ratio, axis=-1, keepdims=True)
    scaled = _product(lab[..., 1:], ratio * np.minimum(1, 1.5 / np.maximum(size, 1e-6)))
    share = (lab[..., 1:] * before).sum(-1) / power
    is_skin = np.clip((share - 0.35) / 0.35, 0, 1)[..., None]
    return np.asarray(is_skin * offset + (1 - is_skin) * scaled, np.float32)


def _product(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """Product of (..., 2) vectors as complex numbers: scale and turn."""
    real = one[..., 0] * other[..., 0] - one[..., 1] * other[..., 1]
    return np.stack([real, one[..., 0] * other[..., 1] + one[..., 1] * other[..., 0]], axis=-1)


def luminance(lightness: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    """Relative luminance Y in [0, 1] of CIE L* (CIE 15:2004)."""
    f = (np.maximum(lightness, 0) + 16) / 116
    return np.asarray(np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)), np.float32)


def lightness_of(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE L* of relative luminance Y: the inverse of `luminance`."""
    y = np.asarray(luminance, np.float32)
    f = np.where(y > (6 / 29) ** 3, np.cbrt(y), y / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.asarray(116 * f - 16, np.float32)


_HEADROOM = 5.0
"""How far, in L, a highlight may rise over the target's own brightest skin: gloss on dark skin is a steep tail that
would burn out on light skin."""


def _soft_ceiling(lightness: NDArray[np.float32], knee: float) -> NDArray[np.float32]:
    over = np.maximum(lightness - knee, 0)
    return np.asarray(np.minimum(lightness, knee) + _HEADROOM * np.tanh(over / _HEADROOM / 2), np.float32)
