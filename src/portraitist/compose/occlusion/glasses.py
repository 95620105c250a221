"""Glasses: frames, and lenses that are too dark to see through.

A bare nose bridge, the skin under the eyes and the temples have no thin lines: a rim crosses all three. Each zone is
walked along curves of mesh vertices, and the best curve's mean line strength is its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.rims import around, rim_curve, within
from portraitist.compose.occlusion.skin import fit_skin
from portraitist.compose.occlusion.strangeness import strangeness
from portraitist.compose.occlusion.view import FaceView
from portraitist.faces.regions import brows_mask, polygon_mask
from portraitist.faces.topology import mirror_index
from portraitist.retouch.colour import to_lab
from portraitist.types import Face, Image, Mask, Points

Values = NDArray[np.float32]

LOWER_LID = (130, 25, 110, 24, 23, 22, 26, 112)
CHEEK = (227, 116, 117, 118, 119, 120, 121, 128)
"""Curves of the picture's left half: just under the lower lid, and on the cheekbone."""
BRIDGE_TOP, BRIDGE_LOW = (189, 193, 168, 417, 413), (236, 196, 197, 419, 456)
"""Curves across the nose bridge: between the eyes, and half-way down."""
TEMPLE_TOP, TEMPLE_LOW = (156, 139, 162), (111, 116, 234)
"""Curves from the eye to the ear: at the brow's end and at the cheekbone."""
SOCKET = (33, 25, 110, 24, 23, 22, 26, 112, 133, 190, 56, 28, 27, 29, 30, 247)
EYE_CORNERS = ((33, 133), (362, 263))
BRIDGE = (193, 168, 417, 351, 419, 197, 196, 122, 9)
TEMPLES = ((156, 139, 162, 234, 116, 111), (383, 368, 389, 454, 345, 340))
TINTED = 0.6
"""Share of strange skin seen through a lens from which the lens itself lies over the face."""
DARK_LENS, DARK_LENS_ALONE = 2.2, 2.8
"""Median strangeness of the skin under an eye, from which the lens over it counts as opaque where a rim was found,
and from which it proves glasses without any rim."""


@dataclass(frozen=True)
class Evidence:
    """Mean line strength (L*, 0-100) on the best curve of each zone, and how strange the lens areas are."""

    bridge: float
    under_left: float
    under_right: float
    temple: float
    lens: float

    @property
    def score(self) -> float:
        """Logistic of the evidence, fitted on the tune photos. A line under the eyes says little (tear bags)."""
        rims = 1.2 * min(self.bridge, 25) + 0.2 * min(self.temple, 25) - 15
        shades = 4.0 * (self.lens - DARK_LENS_ALONE)
        return float(1 / (1 + np.exp(-np.clip(max(rims, shades), -30, 30))))


def glasses_score(image: Image, face: Face) -> float:
    """How sure it is that the face wears glasses, in [0, 1]."""
    view = FaceView.of(image, face)
    odd = strangeness(fit_skin(view.image, view.face))
    return measure_evidence(line_strength(view.image), odd, view.face).score


def wears_glasses(image: Image, face: Face) -> bool:
    """True when the score passes 0.5, the threshold set on the tune photos."""
    return glasses_score(image, face) > 0.5


def line_strength(image: Image) -> Values:
    """(h, w) how much darker (or, at 0.6, brighter) than both its sides each pixel is, in L*: thin lines only."""
    light = np.ascontiguousarray(to_lab(image)[..., 0])
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    dark, bright = (cv2.morphologyEx(light, how, kernel) for how in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    return np.asarray(np.maximum(dark, 0.6 * bright), np.float32)


def measure_evidence(lines: Values, odd: Values, face: Face) -> Evidence:
    """Walk the three zones of both halves of the view: (h, w) line strength and strangeness."""
    points = face.landmarks
    unders, temples, lenses = [], [], []
    for side in (np.asarray, _mirrored):
        unders.append(_best_curve(lines, points[side(LOWER_LID)], points[side(CHEEK)], np.linspace(0.25, 1.3, 16)))
        temples.append(_best_curve(lines, points[side(TEMPLE_TOP)], points[side(TEMPLE_LOW)], np.linspace(0, 1, 10)))
        lenses.append(_area_median(odd, points[side(LOWER_LID)], points[side(CHEEK)]))
    bridge = _best_curve(lines, points[list(BRIDGE_TOP)], points[list(BRIDGE_LOW)], np.linspace(-0.2, 0.9, 16))
    return Evidence(bridge, unders[0], unders[1], max(temples), min(lenses))


def _mirrored(indices: tuple[int, ...]) -> NDArray[np.int32]:
    return np.asarray(mirror_index()[list(indices)], np.int32)


def _best_curve(lines: Values, start: Points, end: Points, steps: NDArray[np.float64]) -> float:
    """The best, over curves between `start` and `end`, of the 35th percentile of line strength along the curve."""
    curves = np.stack([_resampled(start + (end - start) * t) for t in steps])[..., :2].astype(np.float32)
    wide = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    seen = cv2.remap(wide, curves[..., 0], curves[..., 1], cv2.INTER_LINEAR)
    return float(np.percentile(seen, 35, axis=1).max())


def _resampled(curve: NDArray[np.floating], count: int = 24) -> NDArray[np.float64]:
    t = np.linspace(0, len(curve) - 1, count)
    return np.stack([np.interp(t, np.arange(len(curve)), curve[:, i]) for i in range(2)], -1)


def _area_median(values: Values, start: Points, end: Points) -> float:
    ring = np.concatenate([start[1:], (start + (end - start) * 0.6)[1:][::-1]])
    inside = polygon_mask((values.shape[0], values.shape[1]), [ring]) > 0.5
    return float(np.median(values[inside])) if inside.any() else 0.0


@cache
def _kernel(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def find_glasses(image: Image, odd: Values, face: Face) -> Mask:
    """(h, w) soft mask over the view: rims, bridge, temples and opaque lenses; zeros where no glasses are worn.

    image (h, w, 3) and odd (h, w), its strangeness.
    """
    size = odd.shape[0], odd.shape[1]
    lines = line_strength(image)
    evidence = measure_evidence(lines, odd, face)
    if evidence.score <= 0.5:
        return np.zeros(size, np.float32)
    if evidence.lens > DARK_LENS:
        return _soft(_opaque(odd, glasses_zone(face, size), brows_mask(face, size) > 0.3))
    eyes = _eye_sockets(face, size)
    curves = [rim_curve(lines, eyes, face.landmarks[list(corners)]) for corners in EYE_CORNERS]
    found = _frame(lines, curves, face, size) & ~(eyes > 0.5)
    for curve in curves:
        found |= _tinted(odd, curve, eyes > 0.5)
    return _soft(cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, _kernel(3)))


def _frame(lines: Values, curves: list[Values], face: Face, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Lines near the rims' curves, on the bridge and towards the ears."""
    near, zone = around(curves, size, 4), glasses_zone(face, size)
    lens = within(curves[0], size) | within(curves[1], size)
    points = face.landmarks[:, :2]
    straps = [_hull(points[list(ring)]) for ring in (BRIDGE, *TEMPLES)]
    link = (polygon_mask(size, straps) > 0.5) & zone & ~lens
    # Half of the strongest line near by: the width of a rim at half its height, however dark it is.
    sharp = lines > np.maximum(0.5 * cv2.dilate(np.minimum(lines, 40), _kernel(9)), 5.0)
    found = sharp & (near | (link & (lines > 8.0)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    reach = stats[:, cv2.CC_STAT_WIDTH] + stats[:, cv2.CC_STAT_HEIGHT]
    return np.asarray((reach[labels] > 14) & found, bool)


def _tinted(odd: Values, curve: Values, eye: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The whole lens where most of the skin seen through it is strange, else nothing."""
    lens = within(curve, (odd.shape[0], odd.shape[1]))
    skin = lens & ~eye
    return lens if skin.any() and float((odd[skin] > 1.8).mean()) > TINTED else np.zeros_like(lens)


def _eye_sockets(face: Face, size: tuple[int, int]) -> Mask:
    """1 on the eyes and their lids, where rims do not run."""
    rings = [_hull(face.landmarks[side(SOCKET), :2]) for side in (np.asarray, _mirrored)]
    return polygon_mask(size, rings)


def _hull(points: NDArray[np.floating]) -> Values:
    return np.asarray(cv2.convexHull(points.astype(np.float32)).reshape(-1, 2), np.float32)


def _opaque(odd: Values, zone: NDArray[np.bool_], brows: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Dark lenses: what is strange in the zone, with its holes filled; brows that only touch them are cut off."""
    found = ((odd > 2.0) & zone).astype(np.uint8)
    found = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_OPEN, _kernel(3)), cv2.MORPH_CLOSE, _kernel(5))
    contours, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(found)
    cv2.drawContours(filled, [c for c in contours if cv2.contourArea(c) > 60], -1, 1, cv2.FILLED)
    bulk = cv2.morphologyEx(filled, cv2.MORPH_OPEN, _kernel(17))
    brow = cv2.dilate(brows.astype(np.uint8), _kernel(5)) > 0
    return np.asarray(np.where(brow, bulk, filled), np.uint8)


def glasses_zone(face: Face, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where glasses can be: from the brows to the cheekbones, ear to ear."""
    points = face.landmarks[:, :2]
    halves = []
    for side in (np.asarray, _mirrored):
        lid, cheek = points[side(LOWER_LID)], points[side(CHEEK)]
        low = lid + (cheek - lid) * 1.45
        top = points[side((162, 70, 63, 105, 66, 107, 9))]
        halves.append(np.concatenate([low, points[[5]], points[[9]], top[::-1]]))
    hulls = [cv2.convexHull(h.astype(np.float32)).reshape(-1, 2) for h in halves]
    return polygon_mask(size, hulls) > 0.5


def _soft(mask: NDArray[np.integer]) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7), np.float32)
