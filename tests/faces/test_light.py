"""The direction of light is read back from a face that was lit on purpose."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.faces.light import estimate_light
from portraitist.faces.reader import FaceReader
from portraitist.faces.topology import filled_triangles, vertex_normals
from portraitist.types import Face, Image


def relit(image: Image, face: Face, towards_light: tuple[float, float, float]) -> Image:
    """The picture times a Lambertian shade, 0.45 + 0.55 max(0, n . l), drawn triangle by triangle over the mesh."""
    light = np.asarray(towards_light, np.float32) / np.linalg.norm(towards_light)
    shade = 0.45 + 0.55 * np.clip(vertex_normals(face.landmarks) @ light, 0, 1)
    canvas = np.ones(image.shape[:2], np.float32)
    for corners in filled_triangles():
        ring = np.round(face.landmarks[corners, :2]).astype(np.int32)
        cv2.fillConvexPoly(canvas, ring, float(shade[corners].mean()))
    return np.asarray(image * cv2.GaussianBlur(canvas, (0, 0), 1.5)[..., None], np.uint8)


@pytest.mark.parametrize(
    ("light", "axis", "sign"),
    [((1, 0, -0.6), 0, 1), ((-1, 0, -0.6), 0, -1), ((0, -1, -0.6), 1, -1), ((0, 1, -0.6), 1, 1)],
    ids=["right", "left", "top", "below"],
)
def test_light_added_from_one_side_moves_the_reading_there(
    reader: FaceReader, astronaut: Image, light: tuple[float, float, float], axis: int, sign: int
) -> None:
    (face,) = reader.read(astronaut, embed=False)
    before = estimate_light(astronaut, face).direction
    after = estimate_light(relit(astronaut, face, light), face).direction
    moved = np.subtract(after, before)
    assert sign * moved[axis] > 8
    assert abs(moved[axis]) > 2 * abs(moved[1 - axis])
