"""Marks with known truth, rendered onto the skin of a real photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.kinds import MarkKind
from portraitist.marks.render_camera import as_photographed, lit, photograph
from portraitist.marks.render_config import RenderConfig
from portraitist.marks.render_points import draw_points, hair
from portraitist.marks.render_surface import Ground, Window, on_skin
from portraitist.marks.render_wrinkles import Crease, draw_wrinkles
from portraitist.marks.view import SkinView
from portraitist.types import Image, Mask

LEAST_SEEN = 2.2
"""How many times the skin's own unevenness, at its own size, a mark must differ to be called sure."""
_NOISE_FLOOR = 1.6
"""Least unevenness that is assumed, in L*: smooth skin does not make everything visible."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A view with marks. marks: pixels of the view. ignore: (side, side), above 0 where neither a hit nor a false mark
    counts: the skin's own marks, and rendered ones that hardly show (`is_sure` False)."""

    view: SkinView
    marks: tuple[AnnotatedMark, ...]
    ignore: Mask


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What was drawn where. own: the pixels of the window that are its own. crease: if it is one."""

    kind: MarkKind
    window: Window
    own: NDArray[np.bool_] | bool = True
    crease: Crease | None = None


def render_marks(
    view: SkinView, config: RenderConfig, rng: np.random.Generator, ignore: Mask | None = None
) -> Rendered:
    """Marks of every kind on the skin of a view, then a camera. Nothing is drawn off the skin, nor where `ignore` is
    above 0; no two marks overlap. The same generator state gives the same picture.

    The diameter in the truth is measured on what was drawn: of a point mark that of a disc with the area in which it
    has half its contrast, of a crease its width at half depth.
    """
    ground = Ground.of(view, ignore)
    drawn = [_Drawn("wrinkle", window, own, crease) for crease, window, own in draw_wrinkles(ground, config, rng)]
    drawn += [_Drawn(kind, window) for kind, window in draw_points(ground, config, rng)]
    _draw_hairs(ground, config, rng)
    gain = as_photographed(np.exp(-ground.density), view.scale)
    gain = 1 + (gain - 1) * view.skin[..., None]
    marked = lit(view.pixels, gain)
    final = photograph(marked, view.scale, config.camera, rng)
    marks = tuple(_truth(item, gain, view.pixels, final) for item in drawn)
    return Rendered(replace(view, pixels=final), marks, _ignored(ignore, marks, view))


def _draw_hairs(ground: Ground, config: RenderConfig, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(config.hairs[0], config.hairs[1] + 1))):
        length = rng.uniform(2.5, 6.0)
        surface = ground.room(length, rng)
        if surface is not None:
            window = ground.window(surface.centre, length)
            drawn = hair(on_skin(surface, window), length, ground.view.mm, rng)
            ground.take(window, drawn[..., None] * np.array([0.9, 1.0, 1.05], np.float32))


def _truth(item: _Drawn, gain: NDArray[np.float32], before: Image, after: Image) -> AnnotatedMark:
    """What was drawn, measured on the gains before the camera; whether it shows, on the picture after it."""
    change = (1 - gain[item.window]).mean(-1)
    strength = np.abs(change) if item.crease is None else np.maximum(change, 0) * item.own
    core = strength >= 0.5 * max(float(strength.max()), 1e-6)
    area = max(float(core.sum()), 1.0)
    if item.crease is not None:
        width = max(1.0, area / max(1, int((item.crease.depth >= 0.5).sum())))
        is_sure = _stands_out(core, width, before[item.window], after[item.window])
        return AnnotatedMark(item.kind, item.crease.seen.astype(np.float32), width, is_sure)
    weights, across = strength * core, 2 * float(np.sqrt(area / np.pi))
    middle = [(part * weights).sum() / max(float(weights.sum()), 1e-6) for part in np.mgrid[item.window][::-1]]
    is_sure = _stands_out(core, across, before[item.window], after[item.window])
    return AnnotatedMark(item.kind, np.array([middle], np.float32), across, is_sure)


def _stands_out(core: NDArray[np.bool_], across: float, before: Image, after: Image) -> bool:
    """Whether the mark differs more from the skin than the skin there does from itself, at the mark's size.

    across: pixels. Colour counts half: differences of colour are harder to see in small things than those of lightness.
    """
    one, other = (cv2.cvtColor(np.asarray(part, np.float32) / 255, cv2.COLOR_RGB2LAB) for part in (before, after))
    differs = cv2.GaussianBlur((other - one) * np.array([1, 0.5, 0.5], np.float32), (0, 0), 0.2 * across)
    change = float(np.linalg.norm(differs, axis=-1)[core].mean())
    fine, coarse = (cv2.GaussianBlur(one[..., 0], (0, 0), part * across) for part in (0.2, 1.3))
    return change >= LEAST_SEEN * max(float((fine - coarse).std()), _NOISE_FLOOR)


def _ignored(ignore: Mask | None, marks: tuple[AnnotatedMark, ...], view: SkinView) -> Mask:
    mask = np.zeros((view.side, view.side), np.float32) if ignore is None else ignore.astype(np.float32)
    return np.maximum(mask, covering(tuple(mark for mark in marks if not mark.is_sure), view))


def covering(marks: Sequence[AnnotatedMark], view: SkinView) -> Mask:
    """(side, side) 1 on the marks and around them, 0 elsewhere. A mark of unknown diameter is taken to be 2 mm wide."""
    mask = np.zeros((view.side, view.side), np.float32)
    for mark in marks:
        reach = (mark.diameter or 2.0 / view.mm) + 1.0 / view.mm
        points = np.round(mark.points * 8).astype(np.int32)
        if len(points) == 1:
            cv2.circle(mask, tuple(map(int, points[0])), round(8 * reach), 1.0, -1, cv2.LINE_8, 3)
        else:
            cv2.polylines(mask, [points], False, 1.0, max(1, round(2 * reach)), cv2.LINE_8, 3)
    return mask
