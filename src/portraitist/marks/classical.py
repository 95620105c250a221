"""The engine `classical` of the task `marks`: blobs and ridges told from skin by rules, without weights.

It shares no code with the trained detector, so each can judge the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.regions import polygon_mask
from portraitist.marks.blobs import Blob, Direction, apart, find_blobs, layers_of
from portraitist.marks.config import ClassicalConfig
from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import MarkKind
from portraitist.marks.local_skin import LocalSkin, fit_skin
from portraitist.marks.ridges import find_valleys, trace
from portraitist.marks.view import SkinView
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.retouch.colour import Lab, to_lab
from portraitist.types import Mask

_DARK: Direction = (-1.0, 0.5, 0.5)
"""Pigment darkens and browns. Hair, stubble and the shade in a nostril darken and lose colour: they answer less."""
_RED: Direction = (-1.0, 1.0, -0.3)
_PALE: Direction = (1.0, 0.0, 0.0)
_SKIN_MM = 6.0
"""Deviation of the fit of smooth skin."""
_PIMPLE_DARKNESS = 0.22
"""Darker than this, as a share of the skin's lightness, is pigment."""
_HAIR = 0.62
"""Share of the skin's median lightness below which a wide place is hair."""
_WHOLE = 16
"""Pixels of the crop are a multiple of this, the coarsest scale's pixel."""
_SHINE = 90.0
"""Percentile of the skin's lightness above which a pale place is a highlight."""
_LINE_MM = 0.4
"""Pixels that wrinkles are looked for in; a crease is no narrower."""
_WIDTHS_MM = (0.45, 0.7)
"""Deviations across of the valleys looked for."""
_EDGE_MM = 2.0
"""Wrinkles keep this far from what is no skin."""
_WINGS = ((129, 49, 48, 64, 98, 102, 219, 235), (358, 279, 278, 294, 327, 331, 439, 455))
"""Mesh vertices of the wings of the nose."""
_FURROW_MM = 2.5
"""Width of the furrows around them: nothing as wide as that is a mark there."""
_SURE = 0.65
"""Score from which a point of any kind is no part of a crease."""
_SHADE = 9.0
"""L* below the smooth skin: what is so dark along a whole line lies in the shade of the nose, the chin or a strand."""
_FULL_WIDTH = 2.355
"""Full width at half depth of a Gaussian, in deviations."""


@dataclass(frozen=True, eq=False)
class _Field:
    """The cropped view. lab: what is no skin filled in. creasable: skin where a wrinkle can be told from furrows that
    every face has, and from hair. left, top: of the crop, pixels of the view. mm: a pixel."""

    lab: Lab
    skin: Mask
    creasable: Mask
    fit: LocalSkin
    left: int
    top: int
    mm: float


class ClassicalDetector:
    """Call it with a `SkinView`. It is deterministic."""

    def __init__(self, config: ClassicalConfig, report: Report = silent) -> None:
        self.config = config
        self._report = report

    def __call__(self, view: SkinView, *, seed: int = 0) -> Iterator[FoundMark]:
        """Marks of the view, surest first."""
        field = _field_of(view)
        if field is None:
            return
        self._report(Step("marks", 0, 1))
        points = [*_points(field, self.config)]
        sure = [mark for mark in points if mark.kind == "mole" or mark.score > _SURE]
        lines = [*_wrinkles(field, sure, self.config)]
        # A crease is uneven; its darker places are no spots.
        points = [mark for mark in points if mark in sure or not _is_on(mark, lines, 1 / view.mm)]
        yield from sorted([*points, *lines], key=lambda mark: -mark.score)


def build(config: ClassicalConfig, placement: Placement, *, report: Report = silent) -> ClassicalDetector:
    """Registry entry. Raises PlacementError unless the device is the CPU."""
    placement.require_cpu("classical")
    return ClassicalDetector(config, report)


def _field_of(view: SkinView) -> _Field | None:
    """The part of a view that has skin, what is no skin filled in; None without skin."""
    rows, columns = (np.flatnonzero((view.skin > 0.5).any(axis=axis)) for axis in (1, 0))
    if min(len(rows), len(columns)) < _WHOLE:
        return None
    margin = round(3 / view.mm)
    top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
    # Whole pixels of every smaller copy, so that none is stretched.
    bottom = top + max(_WHOLE, (min(int(rows[-1]) + margin, view.side) - top) // _WHOLE * _WHOLE)
    right = left + max(_WHOLE, (min(int(columns[-1]) + margin, view.side) - left) // _WHOLE * _WHOLE)
    skin = np.ascontiguousarray(view.skin[top:bottom, left:right])
    lab = to_lab(np.ascontiguousarray(view.pixels[top:bottom, left:right]))
    fit = fit_skin(lab, skin, _SKIN_MM / view.mm)
    filled = np.asarray(fit.smooth + (lab - fit.smooth) * skin[..., None], np.float32)
    creasable = _without_wings(view)[top:bottom, left:right] * _light_enough(fit, skin)
    return _Field(filled, skin, np.ascontiguousarray(creasable), fit, left, top, view.mm)


def _light_enough(fit: LocalSkin, skin: Mask) -> NDArray[np.bool_]:
    """(h, w) where the smooth picture is no fringe and no beard: those are much darker than most of the skin."""
    lightness = fit.smooth[..., 0]
    return np.asarray(lightness > _HAIR * np.median(lightness[skin > 0.5]), np.bool_)


def _without_wings(view: SkinView) -> Mask:
    """The skin without the furrows around the wings of the nose, which every face has."""
    rings = [cv2.convexHull(view.face.landmarks[list(wing), :2]).reshape(-1, 2) for wing in _WINGS]
    size = view.skin.shape[0], view.skin.shape[1]
    return np.asarray(view.skin * (1 - cv2.dilate(polygon_mask(size, rings), _disc(_FURROW_MM / view.mm))), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    across = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)), np.uint8)


def _points(field: _Field, config: ClassicalConfig) -> Iterator[FoundMark]:
    mm = field.mm
    inner = cv2.erode(field.skin, _disc(config.mask_edge / mm), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    layers = layers_of(
        field.lab, field.skin, config.smallest_mark / mm, config.largest_mark / mm, config.noise_window / mm
    )
    taken: list[Blob] = []
    for direction, least, kind_of in (
        (_DARK, config.spot_contrast, _dark_kind),
        (_RED, config.pimple_contrast, _red_kind),
        (_PALE, config.scar_contrast, _pale_kind),
    ):
        for blob in find_blobs(layers, direction, 0.7 * least, config.longest_mark):
            if blob.diameter * mm > _FURROW_MM and _at(field.creasable, blob) < 0.5:
                continue
            merit = blob.strength * (blob.diameter * mm / blob.elongation) ** config.size_weight
            kind = kind_of(blob, field, config) if merit >= least and _at(inner, blob) > 0.5 else None
            if kind is None or len(apart([*taken, blob])) == len(taken):
                continue
            taken.append(blob)
            place = np.array([[blob.x + field.left, blob.y + field.top]], np.float32)
            yield FoundMark(kind, place, blob.diameter, merit / (merit + least))


def _wrinkles(field: _Field, points: list[FoundMark], config: ClassicalConfig) -> Iterator[FoundMark]:
    height, width = field.skin.shape
    factor = max(1.0, _LINE_MM / field.mm)
    size = round(width / factor), round(height / factor)
    lightness = cv2.resize(_without(points, field), size, interpolation=cv2.INTER_AREA)
    skin, creasable = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) for mask in (field.skin, field.creasable))
    mm = field.mm * factor
    sigmas = tuple(max(across / mm, 0.8) for across in _WIDTHS_MM)
    valleys = find_valleys(lightness, skin, sigmas, config.noise_window / mm)
    inner = cv2.erode(creasable, _disc(_EDGE_MM / mm), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    for line in trace(valleys, inner, config.wrinkle_faint, config.wrinkle_contrast, config.shortest_wrinkle / mm):
        if line.contrast < config.wrinkle_mean or line.straightness < config.wrinkle_straightness:
            continue
        place = (line.points + 0.5) * [width / size[0], height / size[1]] - 0.5
        columns, rows = np.clip(np.round(place), 0, [width - 1, height - 1]).astype(int).T
        if float((field.lab[rows, columns, 0] - field.fit.smooth[rows, columns, 0]).mean()) < -_SHADE:
            continue
        way = place + np.array([field.left, field.top])
        score = line.contrast / (line.contrast + config.wrinkle_mean)
        yield FoundMark("wrinkle", way.astype(np.float32), _FULL_WIDTH * line.sigma * factor, score)


def _is_on(mark: FoundMark, lines: list[FoundMark], reach: float) -> bool:
    """Whether a point mark lies within `reach` pixels of a line's points, which are about as far apart."""
    return any(float(np.linalg.norm(line.points - mark.points, axis=1).min()) < 1.5 * reach for line in lines)


def _without(points: list[FoundMark], field: _Field) -> NDArray[np.float32]:
    """(h, w) lightness of the crop with smooth skin over the points given: a mole is no piece of a wrinkle."""
    covered = np.zeros(field.skin.shape, np.float32)
    for mark in points:
        x, y = mark.points[0] - [field.left, field.top]
        cv2.circle(covered, (round(float(x)), round(float(y))), max(1, round(0.8 * mark.diameter)), 1.0, -1)
    soft = cv2.blur(covered, (3, 3))
    lightness = field.lab[..., 0]
    return np.ascontiguousarray(lightness + (field.fit.smooth[..., 0] - lightness) * soft)


def _dark_kind(blob: Blob, field: _Field, config: ClassicalConfig) -> MarkKind:
    darkness = _darkness(blob, field)
    if _is_red(blob, field) and darkness < _PIMPLE_DARKNESS:
        return "pimple"
    is_mole = darkness >= config.mole_darkness and blob.strength >= config.mole_contrast
    return "mole" if is_mole else "spot"


def _red_kind(blob: Blob, field: _Field, config: ClassicalConfig) -> MarkKind | None:
    return "pimple" if _is_red(blob, field) and _darkness(blob, field) < _PIMPLE_DARKNESS else None


def _darkness(blob: Blob, field: _Field) -> float:
    """How much darker the middle is than its skin, as a share of the skin's lightness."""
    row, column = max(1, round(blob.y)), max(1, round(blob.x))
    core = float(field.lab[row - 1 : row + 2, column - 1 : column + 2, 0].mean())
    return 1 - core / max(float(_at(field.fit.smooth, blob)[0]), 1.0)


def _is_red(blob: Blob, field: _Field) -> bool:
    light, red, yellow = blob.contrast
    return red > 0.45 * abs(light) and red > 1.3 * yellow and red > 3 and blob.diameter * field.mm > 1.4


def _pale_kind(blob: Blob, field: _Field, config: ClassicalConfig) -> MarkKind | None:
    lightness = field.fit.smooth[..., 0]
    shine = np.percentile(lightness[::4, ::4][field.skin[::4, ::4] > 0.5], _SHINE)
    return "scar" if _at(field.fit.smooth, blob)[0] < shine and blob.diameter * field.mm > 1.4 else None


def _at(values: NDArray[np.float32], blob: Blob) -> NDArray[np.float32]:
    """The value of a picture at the middle of a blob."""
    height, width = values.shape[:2]
    row, column = min(max(round(blob.y), 0), height - 1), min(max(round(blob.x), 0), width - 1)
    return np.asarray(values[row, column], np.float32)
