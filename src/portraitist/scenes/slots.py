"""Find the face places of a template."""

from __future__ import annotations

from typing import Protocol

from portraitist.errors import InputError
from portraitist.scenes.values import Slot, TemplateScene
from portraitist.types import Face, Image, Picture

READING_SIDE = 2048
"""Templates are read for faces at most at this size; faces then scale up to the full picture."""
MIN_FACE = 24.0
"""Faces narrower than this (pixels of the template) are no slots: there is nothing to put a face into."""


class ReadsFaces(Protocol):
    """What is needed of a `faces.reader.FaceReader`."""

    def read(self, image: Image, *, embed: bool = True, thorough: bool = False) -> list[Face]: ...


def find_slots(picture: Picture, reader: ReadsFaces) -> TemplateScene:
    """The template with its slots, numbered left to right from 1. Raises InputError when there is no face."""
    image = picture.pixels(READING_SIDE)
    factor = max(picture.size) / max(image.shape[:2])
    faces = [face.scaled(factor) for face in reader.read(image, thorough=True)]
    usable = [face for face in faces if face.width >= MIN_FACE]
    if not usable:
        found = f"only faces under {MIN_FACE:.0f} px" if faces else "none"
        raise InputError(f"template: expected at least one face, found {found}; choose a photo with a visible face")
    return TemplateScene(picture, tuple(Slot(i + 1, face) for i, face in enumerate(usable)))
