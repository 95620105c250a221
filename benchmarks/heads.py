"""Heads of known pose: the ICT-FaceKit morphable head drawn by the painter's algorithm with plain skin and one light.

from heads import HeadModel; image = HeadModel.load(folder).render(seed=0, yaw=30, pitch=10)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.geometry import rotation_from_angles
from portraitist.types import Image

# Vertex ranges of the model (ICT-FaceKit README, "Model geometry").
_EYEBALLS = (21451, 24591)
_HIDDEN = (24591, 26719)  # tear films, eye occlusion and lashes: thin sheets that the painter cannot sort

_TEETH = (17039, 21451)
_SKIN = np.array([[224, 172, 146], [198, 134, 104], [141, 85, 60], [241, 198, 172]], np.float64)


@dataclass(frozen=True, eq=False)
class HeadModel:
    """neutral (n, 3) in centimetres, y up, z towards the viewer; quads (m, 4); identity modes (100, n, 3)."""

    neutral: NDArray[np.float64]
    quads: NDArray[np.int32]
    modes: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path) -> HeadModel:
        with np.load(folder / "ict_face_model_int16.npz") as stored:
            modes = stored["identity_q"][:20] * stored["identity_scale"][:20, None, None]
            quads = stored["faces"]
            hidden = ((quads >= _HIDDEN[0]) & (quads < _HIDDEN[1])).any(1)
            return cls(stored["neutral"].astype(np.float64), quads[~hidden], modes.astype(np.float32))

    def render(self, seed: int, yaw: float, pitch: float, roll: float = 0.0, side: int = 512) -> Image:
        """(side, side, 3) view of identity `seed`, angles in the convention of `types.Pose`, from 80 cm away."""
        random = np.random.default_rng(seed)
        shape = self.neutral + np.tensordot(random.normal(0, 0.8, len(self.modes)), self.modes, 1)
        points = (shape - shape[:9409].mean(0)) * [1, -1, -1] @ rotation_from_angles(yaw, pitch, roll).T
        screen = points[:, :2] / (1 + points[:, 2:] / 80) * side / 34 + side / 2
        normals = np.cross(
            points[self.quads[:, 2]] - points[self.quads[:, 0]], points[self.quads[:, 3]] - points[self.quads[:, 1]]
        )
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        light = np.array([random.normal(0, 0.35), -0.35, -0.9])
        shade = 0.45 + 0.55 * np.clip(normals @ (light / np.linalg.norm(light)), 0, 1)
        colours = np.clip(self._albedo(random) * shade[:, None], 0, 255)
        canvas = np.full((side, side, 3), random.integers(60, 200, 3), np.uint8)
        order = np.argsort(-points[self.quads, 2].mean(1))
        polygons = np.round(screen[self.quads] * 16).astype(np.int32)
        for index in order[normals[order, 2] < 0.05]:
            cv2.fillConvexPoly(canvas, polygons[index], colours[index].tolist(), cv2.LINE_8, 4)
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.8), np.uint8)

    def _albedo(self, random: np.random.Generator) -> NDArray[np.float64]:
        """(m, 3) colour of each quad: skin, white of the eye with a dark iris, lashes, teeth, lips and brows."""
        middle, first = self.neutral[self.quads].mean(1), self.quads[:, 0]
        skin = _SKIN[random.integers(len(_SKIN))]
        colours = np.tile(skin, (len(first), 1))
        eyes = (first >= _EYEBALLS[0]) & (first < _EYEBALLS[1])
        colours[eyes] = 235
        for low, high in ((21451, 23021), (23021, 24591)):
            ball = (first >= low) & (first < high)
            centre = self.neutral[low:high].mean(0)
            colours[ball & (np.linalg.norm(middle[:, :2] - centre[:2], axis=1) < 0.55) & (middle[:, 2] > centre[2])] = [
                60,
                40,
                30,
            ]
        colours[(first >= _TEETH[0]) & (first < _TEETH[1])] = 225
        return colours
