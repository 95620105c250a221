"""The photo that suits a slot comes first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portraitist.faces.choose import best_frontal, choose_references, lay_on, suitability
from portraitist.faces.topology import mean_face
from portraitist.geometry import apply, bounding_box
from portraitist.types import Expression, Face, Light, Pixels, Pose, Quality, Reference

POINTS = (mean_face() + np.array([100, 100, 0])).astype(np.float32)
GOOD = Quality(0.9, 1, 1, 1, 1, 140)


def face(yaw: float = 0, smile: float = 0, light: float = 0, quality: Quality = GOOD) -> Face:
    return Face(
        bounding_box(POINTS),
        POINTS,
        1,
        1,
        Pose(yaw, 0, 0),
        None,
        quality,
        Expression(smile, 0, 1),
        Light(60, (light, 0), abs(light)),
    )


def reference(of: Face, shade: int) -> Reference:
    return Reference(Pixels(np.full((4, 4, 3), shade, np.uint8)), of)


def test_each_measure_counts() -> None:
    slot = face()
    for worse in (
        face(yaw=30),
        face(smile=1),
        face(light=20),
        face(quality=replace(GOOD, visibility=0.3)),
        face(quality=replace(GOOD, eyes_open=0)),
    ):
        assert suitability(slot, face()) < suitability(slot, worse)


def test_a_nose_to_the_other_side_is_worse_than_the_angle_says() -> None:
    assert suitability(face(yaw=20), face(yaw=-14)) > suitability(face(yaw=20), face(yaw=54)) - 0.01


def test_order_is_by_fit_and_does_not_depend_on_the_input_order() -> None:
    references = [reference(face(yaw=y), i) for i, y in enumerate((40, 0, -25, 0))]
    chosen = choose_references(face(), references)
    assert [r.face.pose.yaw for r in chosen] == [0, 0, -25, 40]
    assert [r.picture.digest for r in chosen] == [r.picture.digest for r in choose_references(face(), references[::-1])]


def test_the_best_frontal_is_frontal_and_good() -> None:
    blurred = face(quality=replace(GOOD, sharpness=0.1))
    references = [reference(of, i) for i, of in enumerate((face(yaw=30), blurred, face(yaw=4), face(yaw=-50)))]
    assert best_frontal(references) is references[2]
    assert best_frontal(references[::-1]) is references[2]


def test_a_mesh_is_laid_on_a_face_by_a_similarity() -> None:
    turn = np.array([[0, -2, 300], [2, 0, 40]], np.float64)
    moved = apply(turn, POINTS)
    there = replace(face(), landmarks=moved, box_xyxy=bounding_box(moved))
    np.testing.assert_allclose(lay_on(there, reference(face(), 1)), moved, atol=0.01)
    # A wider face stays wider: nothing is bent.
    wide = POINTS * np.array([1.3, 1, 1], np.float32)
    laid = lay_on(face(), reference(replace(face(), landmarks=wide), 1))
    shape = np.ptp(laid[:, 0]) / np.ptp(laid[:, 1])
    assert abs(shape - np.ptp(wide[:, 0]) / np.ptp(wide[:, 1])) < 0.01
