"""What any detector found, measured: where on the mesh, how large in millimetres, how it differs from its skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from portraitist.marks.anchor import Anchor, anchor_of
from portraitist.marks.found import FoundMark
from portraitist.marks.local_skin import LocalSkin, fit_skin
from portraitist.marks.mark import PointMark, Wrinkle, id_of
from portraitist.marks.surface import PATCH_SPAN, patch_matrix, patch_side, skin_frame
from portraitist.marks.view import SkinView
from portraitist.retouch.colour import Lab, to_lab
from portraitist.types import Image, Mask

_AROUND_MM = 6.0
"""Skin taken around a mark, beside one and a half diameters."""
_COVERED = 0.8
"""Radius left out of the fit, in diameters as found: the mark must not be part of its own skin."""
_TEXTURE = 2.0
"""Deviations of the skin's texture that are no mark."""
_CORE = 0.3
"""Radius of the middle that the mark's colour is first taken from, in diameters."""
_STEP_MM = 2.0
"""Distance of the places along a wrinkle that are measured."""
_BESIDE_MM = (1.6, 3.2)
"""Where beside a wrinkle its skin is seen."""


@dataclass(frozen=True, eq=False)
class _Place:
    """A window of a view around a mark. at: (2,) of its middle, pixels of the window. corner: (x, y) in the view.
    offset: (h, w, 3) LAB less the smooth skin."""

    rgb: Image
    offset: Lab
    fit: LocalSkin
    at: NDArray[np.float64]
    corner: NDArray[np.float64]


def measured(mark: FoundMark, view: SkinView) -> PointMark | Wrinkle | None:
    """The mark of a view (in pixels of the view) on the face's mesh. Its id is that of its place, its confidence the
    detector's score. None where it has no anchor, and for a wrinkle of which less than two places have one.

    Lengths of a point mark are on the skin laid flat; widths of a wrinkle are as seen.
    """
    return _wrinkle(mark, view) if mark.kind == "wrinkle" else _point(mark, view)


def _point(mark: FoundMark, view: SkinView) -> PointMark | None:
    anchor = anchor_of(mark.points[0], view.face)
    if anchor is None:
        return None
    place = _place(mark, view)
    share = _share(place, mark.diameter)
    across = _across(share, mark.diameter)
    # A pixel of the view is a parallelogram on the skin; on a cheek that turns away it is long.
    flat = float(np.sqrt(max(abs(np.linalg.det(skin_frame(anchor, view.face))), 0.1 / view.mm**2)))
    offset = _offset(place, share, mark.diameter)
    noise = place.fit.noise[_row_column(place)]
    return PointMark(
        id_of(mark.kind, (anchor,)),
        mark.kind,
        anchor,
        across / flat,
        _three(offset),
        float(np.linalg.norm(offset) / np.linalg.norm(noise)),
        float(np.clip(mark.score, 0, 1)),
        _patch(place, share, anchor, across, flat, view),
        skin=_three(place.fit.smooth[_row_column(place)]),
    )


def _place(mark: FoundMark, view: SkinView) -> _Place:
    x, y = np.asarray(mark.points[0], np.float64)
    reach = round(1.5 * PATCH_SPAN / 2 * mark.diameter + _AROUND_MM / view.mm)
    left, top = max(0, round(x) - reach), max(0, round(y) - reach)
    window = (slice(top, max(round(y) + reach, top + 1)), slice(left, max(round(x) + reach, left + 1)))
    rgb = np.ascontiguousarray(view.pixels[window])
    at = np.array([x - left, y - top])
    skin = np.asarray(view.skin[window] * (_distance(rgb, at) > _COVERED * mark.diameter), np.float32)
    if skin.sum() < 0.05 * skin.size:
        # Outside the mask, such as on a forehead above the mesh: whatever is around it is its skin.
        skin = np.asarray(_distance(rgb, at) > _COVERED * mark.diameter, np.float32)
    lab = to_lab(rgb)
    fit = fit_skin(lab, skin, max(mark.diameter, 0.4 * _AROUND_MM / view.mm))
    return _Place(rgb, np.asarray(lab - fit.smooth, np.float32), fit, at, np.array([left, top], np.float64))


def _share(place: _Place, diameter: float) -> Mask:
    """(h, w) in [0, 1], how much of each pixel is mark: its offset along that of the mark's middle, 1 for all of it.

    What the skin's own texture reaches is 0, and so is what does not hang together with the middle.
    """
    distance = _distance(place.rgb, place.at)
    core = place.offset[distance <= max(_CORE * diameter, 0.8)].mean(axis=0)
    size = max(float(np.linalg.norm(core)), 1e-3)
    along = cv2.GaussianBlur(np.ascontiguousarray(place.offset @ (core / size).astype(np.float32)), (0, 0), 0.6)
    noise = float(np.linalg.norm(place.fit.noise[_row_column(place)] * core / size))
    least = min(_TEXTURE * noise / size, 0.5)
    share = np.clip((along / size - least) / max(0.8 - least, 0.1), 0, 1)
    share *= np.clip((PATCH_SPAN / 2 * diameter * 0.95 - distance) / max(0.15 * diameter, 1), 0, 1)
    labels, _ = ndimage.label(share > 0)
    middle = labels[distance <= max(_CORE * diameter, 0.8)]
    own = np.isin(labels, np.unique(middle[middle > 0]))
    return np.asarray(share * own, np.float32)


def _across(share: Mask, found: float) -> float:
    """Diameter of the disc of the same area, pixels; the detector's where hardly anything stands out."""
    across = 2 * float(np.sqrt((share > 0.5).sum() / np.pi))
    return across if 0.3 * found < across < PATCH_SPAN / 1.5 * found else found


def _offset(place: _Place, share: Mask, diameter: float) -> NDArray[np.float64]:
    """(3,) mean LAB of the mark less its skin."""
    inside = share > 0.5
    if not inside.any():
        inside = _distance(place.rgb, place.at) <= max(_CORE * diameter, 0.8)
    return np.asarray(place.offset[inside].mean(axis=0), np.float64)


def _patch(
    place: _Place, share: Mask, anchor: Anchor, across: float, flat: float, view: SkinView
) -> NDArray[np.uint8] | None:
    if share.max() <= 0:
        return None
    side = patch_side(across)
    matrix = patch_matrix(anchor, view.face, across / flat, side, place.at + place.corner)
    matrix[:, 2] -= place.corner
    layers = np.dstack([place.rgb, np.round(255 * share).astype(np.uint8)])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(layers, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    patch[[0, -1], :, 3] = patch[:, [0, -1], 3] = 0
    return np.asarray(patch, np.uint8)


def _wrinkle(mark: FoundMark, view: SkinView) -> Wrinkle | None:
    points = _spread(np.asarray(mark.points, np.float64), _STEP_MM / view.mm)
    kept = [(anchor_of(point, view.face), index) for index, point in enumerate(points)]
    places = [(anchor, index) for anchor, index in kept if anchor is not None]
    if len(places) < 2:
        return None
    lab = to_lab(view.pixels)
    widths, depths = _profile(lab[..., 0], points, mark.diameter, view.mm)
    anchors = tuple(anchor for anchor, _ in places)
    rows = [index for _, index in places]
    return Wrinkle(
        id_of("wrinkle", anchors),
        anchors,
        tuple(float(widths[row]) for row in rows),
        tuple(float(depths[row]) for row in rows),
        float(np.clip(mark.score, 0, 1)),
        skin=_three(_beside(lab, points, view.mm)),
    )


def _profile(
    lightness: NDArray[np.float32], points: NDArray[np.float64], found: float, mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) full width at half depth in mm, and (n,) depth in L*, at (n, 2) places along a wrinkle."""
    across = np.arange(-_BESIDE_MM[1], _BESIDE_MM[1] + 0.05, 0.1)
    seen = _sampled(lightness, points, across / mm)
    # Neighbouring places are alike: three are averaged, so that a pore is no depth.
    seen = ndimage.uniform_filter1d(seen, min(3, len(seen)), axis=0, mode="nearest")
    sides = [np.median(seen[:, (sign * across) > _BESIDE_MM[0]], axis=1) for sign in (-1, 1)]
    slope = (across + _BESIDE_MM[1]) / (2 * _BESIDE_MM[1])
    below = sides[0][:, None] * (1 - slope) + sides[1][:, None] * slope - seen
    middle = np.abs(across) < 0.8
    depth = np.maximum(below[:, middle].max(axis=1), 0.0)
    lowest = np.argmax(np.where(middle, below, -np.inf), axis=1)
    width = [_half_width(row, column) * 0.1 for row, column in zip(below, lowest, strict=True)]
    return np.where(depth > 0.5, width, found * mm), depth


def _half_width(below: NDArray[np.float64], lowest: int) -> int:
    """Samples around the lowest that are at least half as deep."""
    shallow = np.flatnonzero(below < below[lowest] / 2)
    left = shallow[shallow < lowest].max(initial=-1)
    right = shallow[shallow > lowest].min(initial=len(below))
    return int(right - left - 1)


def _beside(lab: Lab, points: NDArray[np.float64], mm: float) -> NDArray[np.float64]:
    """(3,) median LAB of the skin on both sides of a wrinkle."""
    near = np.linspace(*_BESIDE_MM, 8) / mm
    shifts = np.concatenate([-near[::-1], near])
    return np.array([np.median(_sampled(lab[..., layer], points, shifts)) for layer in range(3)])


def _sampled(
    values: NDArray[np.float32], points: NDArray[np.float64], shifts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, k) values at (k,) pixels across the line of (n, 2) points."""
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    places = points[:, None] + shifts[None, :, None] * normal[:, None]
    picked = ndimage.map_coordinates(values, [places[..., 1], places[..., 0]], order=1, mode="nearest")
    return np.asarray(picked, np.float64)


def _spread(points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """(m, 2) points a step apart along a line, its ends among them."""
    ways = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    at = np.linspace(0, ways[-1], max(2, round(ways[-1] / step) + 1))
    return np.stack([np.interp(at, ways, points[:, axis]) for axis in (0, 1)], axis=1)


def _distance(picture: Image, at: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    return np.asarray(np.hypot(columns - at[0], rows - at[1]), np.float64)


def _row_column(place: _Place) -> tuple[int, int]:
    height, width = place.rgb.shape[:2]
    return min(max(round(place.at[1]), 0), height - 1), min(max(round(place.at[0]), 0), width - 1)


def _three(values: NDArray[np.floating]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
