"""Are a sitter's marks on another picture of them? What the judge found in a photo, looked for in what it finds there.

The judge is any detector, its marks measured and fixed to the mesh (`tasks/map_marks.marks_in`). Where a mark should be
is said by the other picture's mesh, which favours a method that places marks by the mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from skimage.color import deltaE_ciede2000

from portraitist.marks.anchor import millimetres_per_pixel, place
from portraitist.marks.hiding import why_hidden
from portraitist.marks.mark import PointMark
from portraitist.marks.match import SMALLEST_PIXELS
from portraitist.types import Face, Mask

WITHIN = 0.02
"""Of the face's width: found within that, it is the mark."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A picture's face, and the point marks that the judge finds on it."""

    face: Face
    marks: tuple[PointMark, ...]


def found_again(wanted: Sequence[PointMark], there: Judged) -> list[PointMark | None]:
    """For each wanted mark the one that is it, whatever kind it is taken for; one for one, nearest in the sum."""
    ours, theirs = (_places(marks, there.face) for marks in (wanted, there.marks))
    gaps = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
    limit = WITHIN * there.face.width
    # Beyond the limit every pair costs alike, so none is chosen for being a little less wrong.
    rows, columns = linear_sum_assignment(np.where(gaps <= limit, gaps, 1e6))
    pairs = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gaps[r, c] <= limit}
    return [there.marks[pairs[row]] if row in pairs else None for row in range(len(wanted))]


def false_marks(known: Sequence[PointMark], there: Judged) -> int:
    """Marks in the picture that are none of the known ones: a second one at the place of one is false."""
    return len(there.marks) - sum(mark is not None for mark in found_again(known, there))


def why_unseen(mark: PointMark, face: Face, size: tuple[int, int], hidden: Mask | None) -> str | None:
    """Why a picture of (h, w) cannot show the mark: `too small` (under 2 pixels across), or as `why_hidden` says."""
    if mark.diameter_mm / millimetres_per_pixel(face) < SMALLEST_PIXELS:
        return "too small"
    return why_hidden(mark.anchor, place(mark.anchor, face), face, size, hidden)


def colour_error(source: PointMark, found: PointMark) -> float | None:
    """CIEDE2000 between the mark as it is and as it should be: the skin it is on now, and the offset it had on its own.
    None where that skin was not measured."""
    if found.skin is None:
        return None
    skin = np.array(found.skin)
    return float(deltaE_ciede2000(skin + source.colour_offset, skin + found.colour_offset))


def _places(marks: Sequence[PointMark], face: Face) -> np.ndarray:
    return np.array([place(mark.anchor, face) for mark in marks], np.float64).reshape(-1, 2)
