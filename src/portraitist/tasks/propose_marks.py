"""What a detector proposes on the photos of a folder: for the annotation page, in pixels of the photo."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from portraitist.compose.occlusion import find_occluders
from portraitist.marks.found import Detector, FoundMark
from portraitist.marks.view import skin_view
from portraitist.tasks.annotate_marks import AnnotatedFolder
from portraitist.types import Face, Image


class ReadsFaces(Protocol):
    """What is needed of a `FaceReader`."""

    def read(self, image: Image, *, embed: bool = True, thorough: bool = False) -> list[Face]:
        """Faces in pixels of the image."""
        ...


@dataclass(frozen=True)
class Proposed:
    """faces: how many were found in the photo. marks: in pixels of the photo, face by face, surest first."""

    faces: int
    marks: tuple[FoundMark, ...]


class Proposals:
    """The proposals of each photo of a folder, made when asked for and kept. One photo is read at a time."""

    def __init__(self, folder: AnnotatedFolder, reader: ReadsFaces, detector: Detector, name: str = "") -> None:
        self.name = name
        self._folder, self._reader, self._detector = folder, reader, detector
        self._known: dict[int, Proposed] = {}
        self._lock = threading.Lock()

    def __call__(self, index: int) -> Proposed:
        """Raises InputError when the photo cannot be read."""
        with self._lock:
            if index not in self._known:
                image = self._folder.photo(index).pixels()
                self._known[index] = propose(image, self._reader, self._detector)
            return self._known[index]


def propose(image: Image, reader: ReadsFaces, detector: Detector) -> Proposed:
    """What the detector finds on every face of a picture, not on hair, glasses or hands over it.

    Marks beyond the picture's edges are left out.
    """
    faces = reader.read(image, embed=False)
    views = [skin_view(image, face, hidden=find_occluders(image, face)) for face in faces]
    found = [mark.in_photo(view) for view in views for mark in detector(view)]
    return Proposed(len(faces), tuple(mark for mark in found if _is_inside(mark, image)))


def _is_inside(mark: FoundMark, image: Image) -> bool:
    height, width = image.shape[:2]
    return bool((mark.points >= 0).all() and (mark.points <= np.array([width, height])).all())
