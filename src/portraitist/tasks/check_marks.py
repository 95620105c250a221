"""A portrait checked against its sitter's map: which marks are there, missing, or invented."""

from __future__ import annotations

from pathlib import Path

from portraitist.compose.occlusion import find_occluders
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.marks.config import DETECTOR
from portraitist.marks.map import MarksMap, known_map
from portraitist.marks.verify import Verdict
from portraitist.placement import Placement
from portraitist.tasks.carry_marks import judged
from portraitist.tasks.sitting import Cast
from portraitist.types import Face


def check_portrait(
    library: Library, name: str, portrait: Path | str, detector: str = DETECTOR, *, placement: Placement | None = None
) -> Verdict:
    """Look for the marks of the sitter `name` in a picture; of several faces in the one nearest to them.

    Raises InputError when the sitter has no map, or the picture no face.
    """
    known = map_of_sitter(library, name)
    placement = placement or Placement()
    image = open_photo(portrait).pixels()
    faces = FaceReader.load(placement).read(image)
    if not faces:
        raise InputError(f"{portrait}: expected a face, found none; give a portrait of {name}")
    face = _nearest(faces, Cast.of(library, name))
    return judged(image, face, known, find_occluders(image, face), detector)


def map_of_sitter(library: Library, name: str) -> MarksMap:
    """The sitter's map. Raises InputError, saying how to make one, when there is none."""
    known = known_map(library.sitter(name).marks_dir)
    if known is None:
        raise InputError(f"sitter '{name}': expected a map of marks, found none; make it with 'portraitist marks map'")
    return known


def _nearest(faces: list[Face], cast: Cast) -> Face:
    """The face most like the album's; the largest where nobody was recognised."""
    known = [reference.face.embedding for reference in cast.everyone if reference.face.embedding is not None]
    seen = [(face, face.embedding) for face in faces if face.embedding is not None]
    if not known or not seen:
        return max(faces, key=lambda face: face.width)
    return min(seen, key=lambda pair: min(pair[1].distance(own) for own in known))[0]
