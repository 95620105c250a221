"""How a detector did: what was found of what is there, what was found that is not, and how far off it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import MarkKind
from portraitist.marks.labelled import LabelledView
from portraitist.types import Mask, Points

LEAST_PIXELS = 3.0
"""Point marks smaller than this in the view count neither way, as goals are stated for marks of 3 px and more."""
_WITHIN_WIDTHS, _WITHIN_FACE = 1.5, 0.01
"""A mark is found within 1.5 times its diameter, or 1 % of the face's width where that is more."""


@dataclass(frozen=True)
class Score:
    """Counts over any number of faces; scores add up.

    there, found: sure point marks by kind, and those of them that were found, whatever kind they were taken for.
    named: those whose kind was right too. false: point marks found where nothing is. errors: distance of each found
    mark from its place, as a part of the face's width. wrinkles_*: lengths in pixels: there, of these found, reported,
    of these false.
    """

    faces: int = 0
    there: Counter[MarkKind] = field(default_factory=Counter)
    found: Counter[MarkKind] = field(default_factory=Counter)
    named: int = 0
    false: int = 0
    errors: tuple[float, ...] = ()
    wrinkles_there: float = 0.0
    wrinkles_found: float = 0.0
    wrinkles_reported: float = 0.0
    wrinkles_false: float = 0.0

    def __add__(self, other: Score) -> Score:
        values = {name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        return Score(**values)

    def recall(self, *kinds: MarkKind) -> float | None:
        """Share of the marks of these kinds (all without any) that were found; None when there are none."""
        wanted = kinds or tuple(self.there)
        there = sum(self.there[kind] for kind in wanted)
        return sum(self.found[kind] for kind in wanted) / there if there else None

    @property
    def false_a_face(self) -> float | None:
        """False point marks a face."""
        return self.false / self.faces if self.faces else None

    @property
    def median_error(self) -> float | None:
        """Of the distances, as a part of the face's width."""
        return float(np.median(self.errors)) if self.errors else None

    @property
    def wrinkle_recall(self) -> float | None:
        """By length."""
        return self.wrinkles_found / self.wrinkles_there if self.wrinkles_there else None

    @property
    def wrinkle_false(self) -> float | None:
        """Part of the reported length where there is no wrinkle."""
        return self.wrinkles_false / self.wrinkles_reported if self.wrinkles_reported else None

    def plain(self) -> dict[str, Any]:
        """The figures for a table or JSON; None where nothing can be said."""
        by_kind = {f"recall_{kind}": self.recall(kind) for kind in sorted(self.there)}
        points = {"false_a_face": self.false_a_face, "median_error": self.median_error}
        kinds = {"kind_right": self.named / len(self.errors) if self.errors else None}
        lines = {"wrinkle_recall": self.wrinkle_recall, "wrinkle_false": self.wrinkle_false}
        return {"faces": self.faces, "recall": self.recall(), **by_kind, **points, **kinds, **lines}


def score(found: Sequence[FoundMark], item: LabelledView) -> Score:
    """Of one view. Marks nobody is sure of, and what was found on them or where nothing is known, count neither way."""
    width = item.view.face.width
    known = [mark for mark in found if mark.kind == "wrinkle" or not _at(item.ignore, mark.points[0])]
    points = _score_points([m for m in known if m.kind != "wrinkle"], item, width)
    return points + _score_wrinkles([m for m in known if m.kind == "wrinkle"], item, width)


def _score_points(found: list[FoundMark], item: LabelledView, width: float) -> Score:
    """One-to-one by the least sum of distances; a sure mark is served before a doubted one."""
    there = [mark for mark in item.marks if mark.kind != "wrinkle" and not _at(item.ignore, mark.points[0])]
    sure, doubted = _parted(there, item)
    pairs = _assigned(sure, found, width)
    used = {column for _, column, _ in pairs}
    rest = [mark for number, mark in enumerate(found) if number not in used]
    false = sum(not any(_gap(mark, place) <= _within(place, width) for place in doubted) for mark in rest)
    return Score(
        faces=1,
        there=Counter(mark.kind for mark in sure),
        found=Counter(sure[row].kind for row, _, _ in pairs),
        named=sum(sure[row].kind == found[column].kind for row, column, _ in pairs),
        false=false,
        errors=tuple(gap / width for _, _, gap in pairs),
    )


def _parted(marks: list[AnnotatedMark], item: LabelledView) -> tuple[list[AnnotatedMark], list[AnnotatedMark]]:
    """Those that have to be found, and those that may be."""

    def counts(mark: AnnotatedMark) -> bool:
        is_small = mark.diameter is not None and mark.diameter < LEAST_PIXELS
        return mark.is_sure and not is_small and _at(item.view.skin, mark.points[0])

    return [m for m in marks if counts(m)], [m for m in marks if not counts(m)]


def _assigned(sure: list[AnnotatedMark], found: list[FoundMark], width: float) -> list[tuple[int, int, float]]:
    """(true mark, found mark, distance) of every pair."""
    gaps = np.array([[_gap(mark, place) for mark in found] for place in sure]).reshape(len(sure), len(found))
    limits = np.array([_within(place, width) for place in sure])[:, None]
    far = 1e6
    rows, columns = linear_sum_assignment(np.where(gaps <= limits, gaps, far)) if gaps.size else ((), ())
    return [(int(r), int(c), float(gaps[r, c])) for r, c in zip(rows, columns) if gaps[r, c] <= limits[r, 0]]


def _score_wrinkles(found: list[FoundMark], item: LabelledView, width: float) -> Score:
    """By length: samples every pixel, each found when a line of the other side is near it."""
    sure = [m for m in item.marks if m.kind == "wrinkle" and m.is_sure]
    every = [m for m in item.marks if m.kind == "wrinkle"]
    truth = _samples(sure, item.view.skin, item.ignore)
    reported = _samples(found, item.view.skin, item.ignore)
    within = _WITHIN_FACE * width
    missed = _far_from(truth, _samples(found, None, None), within)
    false = _far_from(reported, _samples(every, None, None), within)
    lengths = (float(len(truth)), float(len(truth) - missed), float(len(reported)), float(false))
    names = ("wrinkles_there", "wrinkles_found", "wrinkles_reported", "wrinkles_false")
    return Score(**dict(zip(names, lengths)))  # type: ignore[arg-type]


def _samples(lines: Sequence[FoundMark | AnnotatedMark], skin: Mask | None, ignore: Mask | None) -> Points:
    """(n, 2) points about a pixel apart along the lines, where given only on the skin and where something is known."""
    points = np.concatenate([np.zeros((0, 2), np.float32), *(_along(line.points) for line in lines)])
    if skin is not None:
        points = points[[_at(skin, point) for point in points]]
    if ignore is not None:
        points = points[[not _at(ignore, point) for point in points]]
    return points


def _along(line: Points) -> Points:
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    places = np.arange(0.5, lengths[-1], 1.0)
    return np.stack([np.interp(places, lengths, line[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _far_from(points: Points, others: NDArray[np.float32], within: float) -> int:
    """How many points have none of the others within that distance."""
    if not len(points) or not len(others):
        return len(points)
    gaps, _ = cKDTree(others).query(points, distance_upper_bound=within)
    return int(np.isinf(gaps).sum())


def _gap(found: FoundMark, place: AnnotatedMark) -> float:
    return float(np.linalg.norm(found.points[0] - place.points[0]))


def _within(place: AnnotatedMark, width: float) -> float:
    return max(_WITHIN_WIDTHS * (place.diameter or 0.0), _WITHIN_FACE * width)


def _at(mask: Mask, point: NDArray[np.float32]) -> bool:
    x, y = np.clip(np.round(point).astype(int), 0, np.subtract(mask.shape[::-1], 1))
    return bool(mask[y, x] > 0.5)
