"""A portrait checked against the sitter's map: which marks are there, which are missing, which are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portraitist.marks.anchor import millimetres_per_pixel, place
from portraitist.marks.hiding import why_hidden
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import Mark, PointMark, Wrinkle
from portraitist.marks.match import SMALLEST_PIXELS, assign, costs, mark_cost, wrinkle_cost
from portraitist.types import Face, Mask

INVENTED_WEIGHT = 0.5
"""What a mark that the sitter does not have costs, over one that is missing, times the detector's confidence in it."""


@dataclass(frozen=True)
class Verdict:
    """found, missing, hidden: ids of the map's marks. hidden: turned away, covered, off the picture or too small.

    invented: ids of detections that are none of the sitter's, or are a mark that was to be removed. score: in [0, 1].
    """

    found: tuple[str, ...]
    missing: tuple[str, ...]
    hidden: tuple[str, ...]
    invented: tuple[str, ...]
    score: float


def check_marks(
    face: Face,
    detections: Sequence[PointMark | Wrinkle],
    sitter_map: MarksMap,
    size: tuple[int, int],
    *,
    hidden: Mask | None = None,
) -> Verdict:
    """Judge a portrait of (h, w) `size` by what was detected and measured in it.

    face: in pixels of the portrait. hidden: (h, w), 1 where something covers the face. Marks are assigned as photos
    of an album are. The score is found / (found + missing + INVENTED_WEIGHT * invented), each mark counted by its
    confidence; 1 where the portrait shows none of the sitter's marks and none of its own.
    """
    pairs = _pairs(detections, sitter_map)
    expected = [mark for mark in sitter_map.all if mark.action != "remove"]
    found = [mark for mark in expected if mark.mark_id in pairs]
    away = [mark for mark in expected if mark.mark_id not in pairs and _is_hidden(mark, face, size, hidden)]
    gone = {mark.mark_id for mark in (*found, *away)}
    missing = [mark for mark in expected if mark.mark_id not in gone]
    theirs = {pairs[mark.mark_id] for mark in found}
    invented = [mark for mark in detections if mark.mark_id not in theirs]
    return Verdict(_ids(found), _ids(missing), _ids(away), _ids(invented), _score(found, missing, invented))


def _pairs(detections: Sequence[PointMark | Wrinkle], sitter_map: MarksMap) -> dict[str, str]:
    """Id in the map to id of its detection."""
    points = [mark for mark in detections if isinstance(mark, PointMark)]
    lines = [mark for mark in detections if isinstance(mark, Wrinkle)]
    at_points = assign(costs(sitter_map.marks, points, mark_cost))
    at_lines = assign(costs(sitter_map.wrinkles, lines, wrinkle_cost))
    named = {sitter_map.marks[row].mark_id: points[column].mark_id for row, column in at_points}
    return named | {sitter_map.wrinkles[row].mark_id: lines[column].mark_id for row, column in at_lines}


def _is_hidden(mark: Mark, face: Face, size: tuple[int, int], hidden: Mask | None) -> bool:
    """Whether more than half of its places cannot be seen, or it is too small to be found."""
    if isinstance(mark, PointMark) and mark.diameter_mm / millimetres_per_pixel(face) < SMALLEST_PIXELS:
        return True
    anchors = (mark.anchor,) if isinstance(mark, PointMark) else mark.anchors
    covered = [why_hidden(anchor, place(anchor, face), face, size, hidden) is not None for anchor in anchors]
    return 2 * sum(covered) > len(covered)


def _score(found: Sequence[Mark], missing: Sequence[Mark], invented: Sequence[Mark]) -> float:
    there, lacking, new = (sum(mark.confidence for mark in marks) for marks in (found, missing, invented))
    total = there + lacking + INVENTED_WEIGHT * new
    return there / total if total > 0 else 1.0


def _ids(marks: Sequence[Mark]) -> tuple[str, ...]:
    return tuple(mark.mark_id for mark in marks)
