"""Everything there is to know about the faces of one picture, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from portraitist.faces.detect import Detection
from portraitist.faces.embed import Embedder
from portraitist.faces.expression import measure_expression
from portraitist.faces.eyes import EyeNetwork
from portraitist.faces.light import estimate_light
from portraitist.faces.mesh import MeshNetwork
from portraitist.faces.pose import estimate_pose
from portraitist.faces.pyramid import Pyramid
from portraitist.faces.quality import measure_quality
from portraitist.faces.search import FaceSearch
from portraitist.geometry import bounding_box, box_overlap
from portraitist.placement import Placement
from portraitist.types import Embedding, Face, Image

PRESENCE = 0.5
"""Below this the mesh network says: no face in this crop."""
DOUBTFUL = 0.9
"""Below this score x presence the other quarter turns are tried: an upside-down face can score 0.78 as if upright."""
CERTAINTY = 0.45
"""Least score x presence of a face."""
CERTAINTY_TURNED = 0.75
"""The same for a face tilted by over 60 degrees: those are rare, and fur or leaves look like one more often."""


@dataclass(frozen=True)
class FaceReader:
    """Detector, mesh and recogniser, loaded once.

    >>> reader = FaceReader.load()                      # doctest: +SKIP
    >>> [face.pose.yaw for face in reader.read(image)]  # doctest: +SKIP
    """

    search: FaceSearch
    mesh: MeshNetwork
    embedder: Embedder
    eyes: EyeNetwork

    @classmethod
    def load(cls, placement: Placement = Placement()) -> FaceReader:
        """Fetches weights where they are missing (WeightsError when that is impossible)."""
        return cls(FaceSearch(placement), MeshNetwork(placement), Embedder(placement), EyeNetwork(placement))

    def read(self, image: Image, *, embed: bool = True, thorough: bool = False) -> list[Face]:
        """Faces from left to right, in pixels of `image` (h, w, 3), every measure filled; embeddings when asked.

        thorough: look for small faces even where a large one was found (templates with people in the background).
        """
        levels = Pyramid(image)
        fits = [fit for d in self.search.find(levels, thorough=thorough) if (fit := self._fit(levels, d)) is not None]
        faces = [self._measured(levels, fit) for fit in distinct(fits)]
        faces.sort(key=lambda face: float(face.centre[0]))
        if not embed:
            return faces
        return [replace(f, embedding=e) for f, e in zip(faces, self.embedder.embed(levels, faces), strict=True)]

    def embed(self, image: Image, face: Face) -> Embedding:
        """Embedding of one face."""
        return self.embedder.embed(image, [face])[0]

    def _fit(self, levels: Pyramid, found: Detection) -> Face | None:
        """The mesh on one detection; a doubtful one is looked at from the other quarter turns too."""
        best = self._fit_once(levels, found)
        if _certainty(best) < DOUBTFUL:
            others = [self._fit_once(levels, d) for d in self.search.look_around(levels, found)]
            best = max([best, *others], key=_certainty)
        return best if best.presence >= PRESENCE and _certainty(best) >= _needed(best) else None

    def _fit_once(self, levels: Pyramid, found: Detection) -> Face:
        eyes = found.points[1] - found.points[0]
        roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
        centre = (found.box_xyxy[:2] + found.box_xyxy[2:]) / 2
        landmarks, presence = self.mesh.fit(levels, centre, found.side, roll)
        return Face(bounding_box(landmarks), landmarks, found.score, presence, estimate_pose(landmarks))

    def _measured(self, levels: Pyramid, face: Face) -> Face:
        expression = measure_expression(face.landmarks)
        openness = self.eyes.openness(levels, face)
        if openness is not None:
            expression = replace(expression, eyes_open=min(expression.eyes_open, openness))
        quality = measure_quality(levels, face, expression)
        return replace(face, expression=expression, quality=quality, light=estimate_light(levels.image, face))


def _certainty(face: Face) -> float:
    return face.score * face.presence


def _needed(face: Face) -> float:
    return CERTAINTY if abs(face.pose.roll) < 60 else CERTAINTY_TURNED


def distinct(faces: list[Face]) -> list[Face]:
    """Two detections can settle on one face, or a tile can see a face inside a face: keep the surer, best first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -_certainty(f)):
        if all(box_overlap(face.box_xyxy, other.box_xyxy) < 0.4 and not _nested(face, other) for other in kept):
            kept.append(face)
    return kept


def _nested(one: Face, other: Face) -> bool:
    """More than 60 % of the smaller box lies in the larger."""
    a, b = one.box_xyxy, other.box_xyxy
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return float(shared) > 0.6 * max(smaller, 1e-6)
