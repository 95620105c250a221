"""One mark out of its sightings: kind by vote, place and patch of one sighting, size and colour of the middle one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from portraitist.marks.kinds import POINT_KINDS, MarkKind
from portraitist.marks.mark import PointMark, Wrinkle, id_of


def gathered_mark(group: Sequence[tuple[str, PointMark]], missed: int, confused_weight: float) -> PointMark:
    """One mark of (digest, sighting) pairs. missed: photos that show its place without it.

    Its place is that of the sighting nearest to the mean place, the surest of equals; diameter and colour are
    medians; the patch, and the skin around it, are the surest sighting's that has one.
    """
    marks = [mark for _, mark in group]
    kind = _voted(marks)
    mean = np.mean([mark.position for mark in marks], axis=0)
    gaps = [round(float(np.linalg.norm(mark.position - mean)), 3) for mark in marks]
    middle = min(zip(gaps, marks, strict=True), key=lambda pair: (pair[0], -pair[1].confidence, pair[1].mark_id))[1]
    sure = sorted(marks, key=lambda mark: (-mark.confidence, mark.mark_id))
    best = next((mark for mark in sure if mark.patch is not None), sure[0])
    weighed = [mark.confidence * (1 if mark.kind == kind else confused_weight) for mark in marks]
    lightness, red, yellow = np.median([mark.colour_offset for mark in marks], axis=0).tolist()
    return PointMark(
        mark_id=id_of(kind, (middle.anchor,)),
        kind=kind,
        anchor=middle.anchor,
        diameter_mm=float(np.median([mark.diameter_mm for mark in marks])),
        colour_offset=(lightness, red, yellow),
        contrast=float(np.median([mark.contrast for mark in marks])),
        confidence=trust(weighed, missed),
        patch=best.patch,
        skin=best.skin,
        blur_mm=best.blur_mm,
        seen_in=tuple(sorted(digest for digest, _ in group)),
    )


def gathered_wrinkle(group: Sequence[tuple[str, Wrinkle]], missed: int) -> Wrinkle:
    """The surest sighting's line and profiles; of equals the one with more anchors."""
    marks = [mark for _, mark in group]
    sure = min(marks, key=lambda mark: (-mark.confidence, -len(mark.anchors), mark.mark_id))
    return replace(
        sure,
        mark_id=id_of("wrinkle", sure.anchors),
        confidence=trust([mark.confidence for mark in marks], missed),
        seen_in=tuple(sorted(digest for digest, _ in group)),
        action="keep",
    )


def trust(sightings: Sequence[float], missed: int) -> float:
    """In [0, 1]: that at least one sighting is right, times the share of the photos showing the place that show the
    mark. sightings: their weighed confidences."""
    doubt = float(np.prod([1 - confidence for confidence in sorted(sightings)]))
    return (1 - doubt) * len(sightings) / (len(sightings) + missed)


def _voted(marks: Sequence[PointMark]) -> MarkKind:
    """The kind with most confidence behind it; of equals the first of POINT_KINDS."""
    behind = {kind: round(sum(mark.confidence for mark in marks if mark.kind == kind), 6) for kind in POINT_KINDS}
    return max(POINT_KINDS, key=lambda kind: behind[kind])
