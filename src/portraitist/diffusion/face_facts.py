"""What a caption may say of a picture: its face, read once, as facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portraitist.diffusion.captions import FaceFacts
from portraitist.faces.attributes import USABLE, measure_attributes
from portraitist.faces.reader import FaceReader
from portraitist.retouch.person import PersonSegmenter
from portraitist.types import Face, Image

LEAST_BACKGROUND = 0.02
"""Share of the picture outside the person below which nothing is said about the background."""


@dataclass(frozen=True)
class FactReader:
    """Reads the one face of a picture and its facts. with_attributes: also glasses, beard and hair, whose weights are
    marked `nc`: whoever asks for them has seen that they are accepted."""

    faces: FaceReader
    person: PersonSegmenter
    with_attributes: bool = True

    @classmethod
    def load(cls, *, with_attributes: bool = True) -> FactReader:
        """The built-in networks."""
        return cls(FaceReader.load(), PersonSegmenter.load(), with_attributes)

    def __call__(self, image: Image, *, embed: bool = False) -> tuple[Face, FaceFacts] | None:
        """The largest face and its facts; None where no face is found."""
        faces = self.faces.read(image, embed=embed)
        if not faces:
            return None
        face = max(faces, key=lambda f: f.width)
        return face, self.facts(image, face)

    def facts(self, image: Image, face: Face) -> FaceFacts:
        """Facts of a face that was read with its expression and light."""
        assert face.expression is not None
        assert face.light is not None
        facts = FaceFacts(
            face_share=float(np.ptp(face.landmarks[:, 0]) / image.shape[1]),
            yaw=face.pose.yaw,
            pitch=face.pose.pitch,
            smile=face.expression.smile,
            mouth_open=face.expression.mouth_open,
            light_x=face.light.direction[0],
            background=self._background(image, face),
        )
        if not self.with_attributes:
            return facts
        measured = measure_attributes(image, face.landmarks)
        return replace(facts, **{name: getattr(measured, name) for name in USABLE})

    def _background(self, image: Image, face: Face) -> float | None:
        outside = self.person(image, face) < 0.2
        if outside.mean() < LEAST_BACKGROUND:
            return None
        return float(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0][outside].mean() / 2.55)
