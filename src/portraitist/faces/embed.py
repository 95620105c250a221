"""dlib's 128-number face descriptor, aligned from the mesh instead of a second landmark model.

Source: D. King, dlib-models, dlib_face_recognition_resnet_model_v1 (CC0); trained on chips of 150 px with 25 % padding.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from portraitist.faces.pyramid import Pyramid, pyramid_of
from portraitist.geometry import Matrix, similarity_matrix
from portraitist.placement import Placement
from portraitist.types import Embedding, Face, Image, Points
from portraitist.weights import fetch

RECOGNISER = "dlib-resnet-v1"
CHIP_SIDE = 150
_PADDING = 0.25
_MESH_POINTS = (263, 362, 33, 133, 2)
# Where dlib puts its five landmarks in a face chip, as fractions (dlib, get_face_chip_details).
_CHIP_POINTS = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)


def chip_matrix(landmarks: Points) -> Matrix:
    """(2, 3) similarity from picture pixels onto the 150 px chip."""
    target = (_PADDING + _CHIP_POINTS) / (2 * _PADDING + 1) * CHIP_SIDE
    return similarity_matrix(landmarks[list(_MESH_POINTS), :2], target)


def face_chip(picture: Image | Pyramid, landmarks: Points) -> Image:
    """The aligned 150 x 150 crop the recogniser wants."""
    return pyramid_of(picture).warp(chip_matrix(landmarks), CHIP_SIDE)


class Embedder:
    """Loads the recogniser once. Descriptors are raw: Euclidean distance under 0.6 is the same person for dlib."""

    def __init__(self, placement: Placement = Placement()) -> None:
        import dlib

        self._network: Any = dlib.face_recognition_model_v1(str(fetch("dlib-resnet")))
        self._lock = threading.Lock()

    def embed(self, picture: Image | Pyramid, faces: Sequence[Face]) -> list[Embedding]:
        """One embedding a face, in one batch."""
        levels = pyramid_of(picture)
        return self.embed_chips([face_chip(levels, face.landmarks) for face in faces])

    def embed_chips(self, chips: Sequence[Image]) -> list[Embedding]:
        """One embedding for each 150 x 150 RGB chip."""
        if not chips:
            return []
        with self._lock:
            vectors = self._network.compute_face_descriptor([np.ascontiguousarray(chip) for chip in chips], 0)
        return [Embedding(np.asarray(vector, np.float32), RECOGNISER) for vector in vectors]
