"""The marks of a sitter: found in every photo of the album, put together on the mesh, kept in the sitter's folder."""

from __future__ import annotations

from portraitist.compose.occlusion import find_occluders
from portraitist.geometry import fit_within
from portraitist.library import Library
from portraitist.marks.config import DETECTOR
from portraitist.marks.detectors import load_detector
from portraitist.marks.found import Detector
from portraitist.marks.map import MarksMap, known_map, map_of, write_map
from portraitist.marks.match import PhotoMarks
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.tasks.find_marks import marks_in
from portraitist.tasks.sitting import Cast
from portraitist.types import Face, Image, Reference

MAX_FACE = 1200
"""Photos are read with faces at most this wide, in pixels: a view has no room for more."""


def map_marks(
    library: Library,
    name: str,
    detector: str = DETECTOR,
    *,
    placement: Placement | None = None,
    report: Report = silent,
) -> MarksMap:
    """Find the marks of every accepted photo, write the map and return it. Ids and what was chosen for a mark stay.

    detector: an engine of the task `marks`. Raises InputError for an unknown sitter or an empty album, EngineError
    for an unknown detector.
    """
    cast = Cast.of(library, name)
    folder = library.sitter(name).marks_dir
    engine = load_detector(detector, placement, report)
    before = known_map(folder) or MarksMap()
    photos = []
    for index, reference in enumerate(cast.everyone, 1):
        photos.append(marks_of(reference, engine))
        report(Step("marks", index, len(cast.everyone), f"{len(photos[-1].points)} marks"))
    found = map_of(photos, before)
    write_map(found, folder)
    return found


def marks_of(reference: Reference, detector: Detector) -> PhotoMarks:
    """What is found in one photo."""
    image, face = _at_size(reference)
    hidden = find_occluders(image, face)
    points, wrinkles = marks_in(image, face, detector, hidden)
    return PhotoMarks(reference.picture.digest, face, points, wrinkles, hidden)


def _at_size(reference: Reference) -> tuple[Image, Face]:
    """The photo and its face, smaller where the face is wider than `MAX_FACE`."""
    image = reference.picture.pixels()
    factor = min(1.0, MAX_FACE / max(1.0, reference.face.width))
    if factor == 1.0:
        return image, reference.face
    small = fit_within(image, max(1, round(max(image.shape[:2]) * factor)))
    return small, reference.face.scaled(small.shape[0] / image.shape[0])
