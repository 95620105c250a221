"""The marks of several photos of one person put together on the mesh.

A photo's marks are assigned one to one to the marks known so far, nearest on the canonical face first in the sum
(Kuhn 1955, as scipy solves it). The photo with most marks comes first, equal ones by digest, so the order in which
photos are given does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from portraitist.errors import InputError
from portraitist.marks.anchor import Anchor, is_visible, millimetres_per_pixel, mirrored, place
from portraitist.marks.gather import gathered_mark, gathered_wrinkle
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.types import Face, Mask

LIMIT_MM = 5.0
"""Two marks further apart on the canonical face are two marks. On two pictures, read again mirrored,
the mesh moved a place by 1.2 mm in the middle and 4.4 mm at most (docs/marks.md)."""
CONFUSED = frozenset({"mole", "spot"})
CONFUSED_WEIGHT = 0.5
"""A mole and a spot may be one mark: their distance counts twice, and such a sighting half."""
SMALLEST_PIXELS = 2.0
"""Where a mark would be smaller than this across, a photo that does not show it says nothing."""
_STEPS = 16
_M = TypeVar("_M", PointMark, Wrinkle)


@dataclass(frozen=True, eq=False)
class PhotoMarks:
    """What was found in one photo of the person.

    digest: the photo's sha256. face: where they are in it. hidden: (h, w) in [0, 1], 1 where hair, glasses or a
    hat cover the face; None when nothing does.
    """

    digest: str
    face: Face
    points: tuple[PointMark, ...] = ()
    wrinkles: tuple[Wrinkle, ...] = ()
    hidden: Mask | None = None
    is_mirrored: bool = False

    def turned_over(self) -> PhotoMarks:
        """The same photo taken as mirrored: its marks on the other side of the face."""
        points = tuple(replace(mark, anchor=mirrored(mark.anchor)) for mark in self.points)
        wrinkles = tuple(replace(w, anchors=tuple(map(mirrored, w.anchors))) for w in self.wrinkles)
        return replace(self, points=points, wrinkles=wrinkles, is_mirrored=not self.is_mirrored)

    def shows(self, anchor: Anchor, width_mm: float) -> bool:
        """Whether a mark of this width there would be seen: not turned away, not hidden, not too small."""
        own = mirrored(anchor) if self.is_mirrored else anchor
        is_large = width_mm / millimetres_per_pixel(self.face) >= SMALLEST_PIXELS
        return is_large and is_visible(own, self.face) and not self._covers(own)

    def _covers(self, own: Anchor) -> bool:
        if self.hidden is None:
            return False
        x, y = np.round(place(own, self.face)).astype(int)
        inside = 0 <= y < self.hidden.shape[0] and 0 <= x < self.hidden.shape[1]
        return not inside or bool(self.hidden[y, x] > 0.5)


def put_together(photos: Sequence[PhotoMarks]) -> tuple[tuple[PointMark, ...], tuple[Wrinkle, ...]]:
    """The person's marks and wrinkles, surest first.

    All are kept; one seen in a single photo says so (`is_flagged`). Confidence is
    (1 - product over its sightings of (1 - weight * confidence)) * seen / (seen + missed): weight is 1, or
    CONFUSED_WEIGHT where the kind differs; missed are photos that show the place without the mark. Raises InputError
    when a photo is given twice. Photos known to be mirrored are turned over first, by `mirror.straightened`.
    """
    ordered = sorted(photos, key=lambda photo: (-len(photo.points), photo.digest))
    if len({photo.digest for photo in ordered}) < len(ordered):
        raise InputError("marks: expected each photo once, found one twice; leave the copy out")
    points = _groups([(p.digest, p.points) for p in ordered], mark_cost)
    wrinkles = _groups([(p.digest, p.wrinkles) for p in ordered], wrinkle_cost)
    marks = [gathered_mark(group, _missed(group, ordered), CONFUSED_WEIGHT) for group in points]
    lines = [gathered_wrinkle(group, _missed(group, ordered)) for group in wrinkles]
    by_trust = sorted(marks, key=lambda m: (-m.confidence, m.mark_id))
    return tuple(by_trust), tuple(sorted(lines, key=lambda w: (-w.confidence, w.mark_id)))


def assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) of an (n, m) cost in mm, one to one, each below LIMIT_MM.

    A mark left alone costs as much as the limit, so two poor pairs never replace one good one.
    """
    if not cost.size:
        return []
    rows, columns = linear_sum_assignment(np.minimum(cost, LIMIT_MM))
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < LIMIT_MM]


def mark_cost(one: PointMark, other: PointMark) -> float:
    """Millimetres apart on the canonical face, doubled between a mole and a spot, infinite between other kinds."""
    apart = float(np.linalg.norm(one.position - other.position))
    if one.kind == other.kind:
        return apart
    return apart / CONFUSED_WEIGHT if {one.kind, other.kind} == CONFUSED else float("inf")


def wrinkle_cost(one: Wrinkle, other: Wrinkle) -> float:
    """Mean distance in mm of the two lines at points spread evenly along them, in whichever direction fits."""
    a, b = _spread(one.line), _spread(other.line)
    return float(min(np.linalg.norm(a - line, axis=1).mean() for line in (b, b[::-1])))


def costs(ours: Sequence[_M], theirs: Sequence[_M], cost: Callable[[_M, _M], float]) -> NDArray[np.float64]:
    """(n, m) of `cost`."""
    return np.array([[cost(a, b) for b in theirs] for a in ours], np.float64).reshape(len(ours), len(theirs))


def _spread(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """(_STEPS, 3) points at equal lengths along an (n, 3) line."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    wanted = np.linspace(0, lengths[-1], _STEPS)
    return np.stack([np.interp(wanted, lengths, line[:, axis]) for axis in range(3)], axis=1)


def _groups(
    photos: Sequence[tuple[str, Sequence[_M]]], cost: Callable[[_M, _M], float]
) -> list[tuple[tuple[str, _M], ...]]:
    """Marks of different photos that are one mark, each with its photo's digest.

    A new mark's distance to a group is its mean distance to the members.
    """
    groups: list[list[tuple[str, _M]]] = []
    for digest, found in photos:
        marks = sorted(found, key=lambda mark: mark.mark_id)
        rows = [[float(np.mean([cost(own, mark) for _, own in group])) for mark in marks] for group in groups]
        pairs = assign(np.array(rows, np.float64).reshape(len(groups), len(marks)))
        for group, mark in pairs:
            groups[group].append((digest, marks[mark]))
        taken = {mark for _, mark in pairs}
        groups += [[(digest, mark)] for row, mark in enumerate(marks) if row not in taken]
    return [tuple(group) for group in groups]


def _missed(
    group: Sequence[tuple[str, PointMark]] | Sequence[tuple[str, Wrinkle]], photos: Sequence[PhotoMarks]
) -> int:
    """Photos that show at least half of the mark's places and do not have it."""
    seen = {digest for digest, _ in group}
    marks = [mark for _, mark in group]
    best = max(marks, key=lambda mark: (mark.confidence, mark.mark_id))
    return sum(photo.digest not in seen and _shows_half(photo, best) for photo in photos)


def _shows_half(photo: PhotoMarks, mark: PointMark | Wrinkle) -> bool:
    if isinstance(mark, PointMark):
        return photo.shows(mark.anchor, mark.diameter_mm)
    shown = [photo.shows(anchor, width) for anchor, width in zip(mark.anchors, mark.width_mm, strict=True)]
    return sum(shown) * 2 >= len(shown)
