"""Exports of whale-anno: one object a photo, points as fractions of its width and height.

    {"projectName": "p", "fileName": "a.jpg", "annoDetails": [{"points": [[0.41, 0.56]], "type": "痣"}]}

The size of the photo is not in the export, so the photo must be at hand. There is no diameter in it either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark, checked_file
from portraitist.marks.formats.labels import Labels, kind_of
from portraitist.marks.formats.pictures import Pictures, Size
from portraitist.marks.formats.rows import Notes, add_mark, check_some_left, list_in, mapping, points_of
from portraitist.types import Points


def read_whale(row: Mapping[str, Any], notes: Notes, pictures: Pictures, labels: Labels) -> AnnotatedImage:
    """One photo; its bad marks are noted. Several points under a point label are as many marks.

    Raises InputError when the row cannot be used at all: no such photo, or nothing marked on it, which in an export
    does not tell a face without marks from one that nobody looked at.
    """
    file = checked_file(row.get("fileName"))
    details = list_in(row, "annoDetails")
    if not details:
        raise InputError("annoDetails: expected marks, found none; for a face without marks write our own format")
    size = pictures.size(file, None)
    if size is None:
        folder = pictures.folders[0]
        raise InputError(
            f"expected the photo {file!r} in {folder}, found none, and fractions need its size; copy it there"
        )
    marks: list[AnnotatedMark] = []
    before = len(notes.problems)
    for place, detail in enumerate(details, 1):
        entry = f"mark {place}"
        with notes.row(entry):
            _add_detail(marks, mapping(detail, entry), size, labels)
    check_some_left(len(notes.problems) - before, len(marks))
    return AnnotatedImage(file, size, None, tuple(marks))


def _add_detail(marks: list[AnnotatedMark], detail: Mapping[str, Any], size: Size, labels: Labels) -> None:
    """Append the marks of one entry; none when its label is one to leave out."""
    kind = kind_of(detail.get("type"), labels)
    if kind is None:
        return
    points = _pixels(points_of(detail.get("points")), size)
    for part in [points] if kind == "wrinkle" else points[:, None]:
        add_mark(marks, AnnotatedMark(kind, part), size)


def _pixels(fractions: list[tuple[float, float]], size: Size) -> Points:
    for x, y in fractions:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise InputError(
                f"expected fractions of the photo from 0 to 1, found ({x:g}, {y:g}); mark it inside the photo"
            )
    return (np.array(fractions) * size).astype(np.float32)
