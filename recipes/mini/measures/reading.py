"""Everything the measures want to know of one picture, read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import FaceFacts
from portraitist.faces.embed import Embedder, face_chip
from portraitist.faces.mesh import CROP_MARGIN, CROP_SIDE, crop_of
from portraitist.faces.pyramid import Pyramid
from portraitist.geometry import square_crop
from portraitist.networks import LiteNetwork
from portraitist.types import Face, Image
from portraitist.weights import fetch


@dataclass(frozen=True)
class Reading:
    """A picture and its largest face.

    image: (h, w, 3) uint8 RGB. face, facts, descriptor (128,), mirrored (128,) and presence are None where no face is
    found. mirrored: descriptor of the face flipped left to right. presence: the mesh network's logit.
    """

    image: Image
    face: Face | None = None
    facts: FaceFacts | None = None
    descriptor: NDArray[np.float32] | None = None
    mirrored: NDArray[np.float32] | None = None
    presence: float | None = None


@dataclass(frozen=True)
class PictureReader:
    """facts: reads a picture's largest face and its facts (`FactReader`). mesh: the raw network."""

    facts: Callable[[Image], tuple[Face, FaceFacts] | None]
    embedder: Embedder
    mesh: LiteNetwork

    @classmethod
    def load(cls) -> PictureReader:
        """The built-in networks."""
        from portraitist.diffusion.face_facts import FactReader

        facts = FactReader.load()
        return cls(facts, facts.faces.embedder, LiteNetwork(fetch("face-mesh")))

    def __call__(self, image: Image) -> Reading:
        """Read one picture; about 0.2 s, nearly all of it the two descriptors."""
        found = self.facts(image)
        if found is None:
            return Reading(image)
        face, facts = found
        chip = face_chip(image, face.landmarks)
        plain, mirrored = self.embedder.embed_chips([chip, np.ascontiguousarray(chip[:, ::-1])])
        return Reading(image, face, facts, plain.vector, mirrored.vector, presence_logit(self.mesh, image, face))


def presence_logit(mesh: LiteNetwork, image: Image, face: Face) -> float:
    """The mesh network's logit for "there is a face", before the sigmoid: `Face.presence` is 1.0 for all good faces."""
    crop = Pyramid(image).warp(_crop_matrix(face), CROP_SIDE)
    _, logit = mesh(crop[None].astype(np.float32) / np.float32(255))
    return float(logit.reshape(-1)[0])


def _crop_matrix(face: Face) -> NDArray[np.float64]:
    centre, side, roll = crop_of(face.landmarks)
    return square_crop(centre, side * CROP_MARGIN, roll, CROP_SIDE)


def at_side(images: Sequence[Image], side: int) -> list[Image]:
    """Square pictures shrunk as training shrinks them, so that real ones are measured at the model's size."""
    return [np.asarray(cv2.resize(i, (side, side), interpolation=cv2.INTER_AREA), np.uint8) for i in images]
