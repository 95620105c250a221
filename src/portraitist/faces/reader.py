"""Everything there is to know about the faces of one picture, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from portraitist.faces.detect import Detection
from portraitist.faces.embed import Embedder
from portraitist.faces.expression import measure_expression
from portraitist.faces.light import estimate_light
from portraitist.faces.mesh import MeshNetwork
from portraitist.faces.pose import estimate_pose
from portraitist.faces.quality import measure_quality
from portraitist.faces.search import FaceSearch
from portraitist.geometry import bounding_box, box_overlap
from portraitist.placement import Placement
from portraitist.types import Embedding, Face, Image

PRESENCE = 0.5
"""Below this the mesh network says: no face in this crop."""


@dataclass(frozen=True)
class FaceReader:
    """Detector, mesh and recogniser, loaded once.

    >>> reader = FaceReader.load()                      # doctest: +SKIP
    >>> [face.pose.yaw for face in reader.read(image)]  # doctest: +SKIP
    """

    search: FaceSearch
    mesh: MeshNetwork
    embedder: Embedder

    @classmethod
    def load(cls, placement: Placement = Placement()) -> FaceReader:
        """Fetches weights where they are missing (WeightsError when that is impossible)."""
        return cls(FaceSearch(placement), MeshNetwork(placement), Embedder(placement))

    def read(self, image: Image, *, embed: bool = True) -> list[Face]:
        """Faces from left to right, in pixels of `image` (h, w, 3), every measure filled; embeddings when asked."""
        faces = self._distinct([face for d in self.search.find(image) if (face := self._face(image, d)) is not None])
        faces.sort(key=lambda face: float(face.centre[0]))
        if not embed:
            return faces
        return [replace(f, embedding=e) for f, e in zip(faces, self.embedder.embed(image, faces), strict=True)]

    def embed(self, image: Image, face: Face) -> Embedding:
        """Embedding of one face."""
        return self.embedder.embed(image, [face])[0]

    def _face(self, image: Image, found: Detection) -> Face | None:
        eyes = found.points[1] - found.points[0]
        roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
        centre = (found.box_xyxy[:2] + found.box_xyxy[2:]) / 2
        landmarks, presence = self.mesh.fit(image, centre, found.side, roll)
        if presence < PRESENCE:
            return None
        face = Face(bounding_box(landmarks), landmarks, found.score, presence, estimate_pose(landmarks))
        expression = measure_expression(landmarks)
        quality = measure_quality(image, face, expression)
        return replace(face, expression=expression, quality=quality, light=estimate_light(image, face))

    @staticmethod
    def _distinct(faces: list[Face]) -> list[Face]:
        """Two detections can settle on one face: keep the surer."""
        kept: list[Face] = []
        for face in sorted(faces, key=lambda f: -f.score * f.presence):
            if all(box_overlap(face.box_xyxy, other.box_xyxy) < 0.4 for other in kept):
                kept.append(face)
        return kept
