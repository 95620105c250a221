"""Why a mark is not drawn: nobody would see it, or it is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from portraitist.marks.anchor import LEAST_FACING, Anchor, facing, is_visible
from portraitist.marks.density import Density, size_of
from portraitist.marks.found import FoundMark
from portraitist.marks.mark import Mark, Wrinkle
from portraitist.marks.match import LIMIT_MM
from portraitist.marks.site import Site
from portraitist.types import Face, Mask

REACH_MM = 9.0
"""How far from its place a portrait's own copy of a mark is looked for. On a tune person a smile moved a mole of the
cheek by 4.9 mm against the mesh, which lies on the face but does not know where skin slides. The reach is
almost twice that."""
_LEAST_AMOUNT, _MOST_AMOUNT = 0.5, 2.0
"""Half of a mark counts as there. Beside its own place, twice as much is something else."""
_LEAST_FIT, _BEST_FIT = 0.65, 0.9
"""Correlation that a copy beside the place needs, at the place and from half the reach on."""
_OUTSTANDING, _MORE_OUTSTANDING = 5.0, 6.0
"""Times the median amount around, which is what chance gives; more at the end, where there are more places.

All five were set on the smiling photos of ten tune people: their own marks, copied from their neutral photos, fit by
0.87 or more within 3 mm in 33 of 50 cases; other people's faces reach 0.85 anywhere in 8 of 99. With them, 45 of the 50
are found, and 9 of 150 marks drawn on others' faces are taken to be there, all faint."""


@dataclass(frozen=True)
class Presence:
    """How much of a mark a picture shows. is_there: so much that another would double it. at: (x, y) where it is.

    amount: 0 none, 1 all of it, below 0 the opposite.
    """

    is_there: bool
    amount: float
    at: tuple[float, float]


def why_hidden(
    anchor: Anchor, at: NDArray[np.floating], face: Face, size: tuple[int, int], hidden: Mask | None
) -> str | None:
    """`turned away`, `off the picture`, `hidden`, or None for a place that can be seen.

    at: (2,) pixels. hidden: (h, w) of the picture, 1 where hair, glasses, a hat or a hand cover the face.
    """
    if facing(anchor, face) < LEAST_FACING:
        return "turned away"
    x, y = (round(float(value)) for value in at)
    if not (0 <= x < size[1] and 0 <= y < size[0]):
        return "off the picture"
    covered = hidden is not None and bool(hidden[y, x] > 0.5)
    return "hidden" if covered or not is_visible(anchor, face) else None


def presence(site: Site, stamp: Density, reach: float, others: NDArray[np.floating]) -> Presence:
    """How much of the mark the picture shows at its place, or, where it stands out well, up to `reach` pixels beside.

    stamp: what the mark would add; one that adds nothing is there. others: (n, 2) places of the sitter's other marks:
    what is nearer to one of those is that one.
    """
    rows = _support(stamp)
    if rows is None:
        return Presence(True, 1.0, _pair(site.at))
    template, by = np.ascontiguousarray(stamp[rows]), int(reach)
    seen = cv2.copyMakeBorder(site.seen - site.skin, by, by, by, by, cv2.BORDER_CONSTANT, value=0)
    area = seen[rows[0].start : rows[0].stop + 2 * by, rows[1].start : rows[1].stop + 2 * by]
    amount = np.asarray(cv2.matchTemplate(area, template, cv2.TM_CCORR) / float((template**2).sum()), np.float32)
    fit = np.asarray(cv2.matchTemplate(area, template, cv2.TM_CCORR_NORMED), np.float32)
    is_own = bool(amount[by, by] >= _LEAST_AMOUNT)
    beside = _beside(amount, fit, site.at, others)
    if beside is not None and not (is_own and fit[by, by] >= _LEAST_FIT):
        return beside
    return Presence(is_own, float(amount[by, by]), _pair(site.at))


def _beside(
    amount: NDArray[np.float32], fit: NDArray[np.float32], at: NDArray[np.float64], others: NDArray[np.floating]
) -> Presence | None:
    """The best place next to the mark's own that looks like it: a peak of its own, not the slope of a neighbour's.

    It must stand out from how far skin and grain around reach by themselves; the further away, the better the fit.
    """
    reach = fit.shape[0] // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    places, apart = np.stack([x, y], axis=-1) + at, np.hypot(x, y)
    is_peak = fit >= cv2.dilate(fit, np.ones((3, 3), np.uint8))
    share = apart / max(reach, 1)
    chance = float(np.median(np.abs(amount)))
    least = np.maximum(_LEAST_AMOUNT, (_OUTSTANDING + _MORE_OUTSTANDING * share) * chance)
    needed = _LEAST_FIT + (_BEST_FIT - _LEAST_FIT) * np.minimum(2 * share, 1)
    allowed = is_peak & (apart < reach) & (amount >= least) & (amount <= _MOST_AMOUNT) & (fit >= needed)
    for dx, dy in others - at:
        # Further away than that, no place in reach is nearer to it.
        if np.hypot(dx, dy) < 2 * reach:
            allowed &= np.hypot(x - dx, y - dy) > apart
    best = np.unravel_index(int(np.argmax(np.where(allowed, fit, -1))), fit.shape)
    return Presence(True, float(amount[best]), _pair(places[best])) if allowed[best] else None


def found_there(
    marks: Sequence[Mark], places: Mapping[str, NDArray[np.floating]], found: Sequence[FoundMark], mm: float
) -> dict[str, FoundMark]:
    """The found mark, of those given, that each of the sitter's marks is: one to one, nearest first in the sum.

    places: id to (n, 2) pixels, one row of a point mark, the line of a wrinkle. mm: a pixel.
    """
    apart = np.array([[_apart(mark, places[mark.mark_id], one, mm) for one in found] for mark in marks], np.float64)
    apart = apart.reshape(len(marks), len(found))
    rows, columns = linear_sum_assignment(np.minimum(apart, LIMIT_MM))
    pairs = zip(rows, columns, strict=True)
    return {marks[row].mark_id: found[column] for row, column in pairs if apart[row, column] < LIMIT_MM}


def _apart(mark: Mark, place: NDArray[np.floating], found: FoundMark, mm: float) -> float:
    """Mean distance in mm of the found points to the place; infinite where the mark cannot be what was found."""
    if not _may_be(mark, found, mm):
        return float("inf")
    gaps = np.linalg.norm(np.asarray(found.points)[:, None] - place[None], axis=-1)
    return mm * float(gaps.min(axis=1).mean())


def _may_be(mark: Mark, found: FoundMark, mm: float) -> bool:
    """Lines are lines, pale spots are pale, and a freckle beside its place is no copy of a large mole."""
    if isinstance(mark, Wrinkle) or found.kind == "wrinkle":
        return mark.kind == found.kind
    ratio = found.diameter * mm / mark.diameter_mm
    return (mark.kind == "scar") == (found.kind == "scar") and 1 / _MOST_AMOUNT <= ratio <= _MOST_AMOUNT


def _pair(at: NDArray[np.floating]) -> tuple[float, float]:
    return float(at[0]), float(at[1])


def _support(stamp: Density) -> tuple[slice, slice] | None:
    """Rows and columns where the stamp is not zero."""
    y, x = np.nonzero(size_of(stamp))
    return (slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)) if len(y) else None
