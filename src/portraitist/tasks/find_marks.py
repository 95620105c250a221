"""The marks of one face: what a detector finds in it, measured and fixed to its mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.marks.found import Detector, FoundMark
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.marks.measure import measured
from portraitist.marks.sharpness import blur_of
from portraitist.marks.view import SkinView, skin_view
from portraitist.types import Face, Image, Mask


def marks_in(
    image: Image, face: Face, detector: Detector, hidden: Mask | None = None
) -> tuple[tuple[PointMark, ...], tuple[Wrinkle, ...]]:
    """The marks of a face, measured and fixed to its mesh. hidden: as in `skin_view`."""
    view = skin_view(image, face, hidden=hidden)
    marks = measured_all(tuple(detector(view)), view)
    blur = blur_of(image, face) * millimetres_per_pixel(face)
    points = tuple(replace(mark, blur_mm=blur) for mark in marks if isinstance(mark, PointMark))
    return points, tuple(mark for mark in marks if isinstance(mark, Wrinkle))


def measured_all(found: Sequence[FoundMark], view: SkinView) -> tuple[PointMark | Wrinkle, ...]:
    """The marks that have a place on the mesh, each id once: the surer of two at one place."""
    marks: dict[str, PointMark | Wrinkle] = {}
    for entry in found:
        mark = measured(entry, view)
        if mark is not None:
            marks.setdefault(mark.mark_id, mark)
    return tuple(marks.values())
