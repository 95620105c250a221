"""The page of a sitter's marks, beside their map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from portraitist.library import Library, write_atomic
from portraitist.marks.anchor import is_visible, place
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import Mark, PointMark
from portraitist.marks.view import SkinView, skin_view
from portraitist.pages.marks import MarkRow, marks_page
from portraitist.tasks.sitting import Cast
from portraitist.types import Reference

FILE = "marks.html"
_SIDE = 720


def write_marks_page(library: Library, name: str, known: MarksMap) -> Path:
    """Write the page; returns its path. The face is that of the album photo that shows most of the marks.

    Raises InputError when the album is empty.
    """
    reference = max(Cast.of(library, name).everyone, key=lambda photo: _shown(photo, known))
    view = skin_view(reference.picture.pixels(), reference.face, _SIDE)
    rows = [_row(mark, view) for mark in known.all]
    page = marks_page(name, view.pixels, rows, len(known.photos))
    return write_atomic(library.sitter(name).marks_dir / FILE, page.encode())


def _shown(photo: Reference, known: MarksMap) -> tuple[int, int, str]:
    """How many marks were found in the photo, then its face's size, then its digest for a fixed order."""
    found = sum(photo.picture.digest in mark.seen_in for mark in known.all)
    return found, round(photo.face.width), photo.picture.digest


def _row(mark: Mark, view: SkinView) -> MarkRow:
    is_point = isinstance(mark, PointMark)
    anchors = (mark.anchor,) if isinstance(mark, PointMark) else mark.anchors
    seen = [place(anchor, view.face) for anchor in anchors if is_visible(anchor, view.face)]
    line: NDArray[np.float64] = np.array(seen, np.float64).reshape(-1, 2)
    mm = mark.diameter_mm if isinstance(mark, PointMark) else max(mark.width_mm)
    return MarkRow(
        mark.mark_id,
        mark.kind,
        mm,
        mark.confidence,
        len(mark.seen_in),
        mark.action,
        "one photo only" if mark.is_flagged else "",
        line if is_point or len(line) > 1 else line[:0],
        0.75 * mm / view.mm,
        mark.patch if isinstance(mark, PointMark) else None,
    )
