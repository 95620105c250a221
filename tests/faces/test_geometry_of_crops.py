"""Crops and pyramids keep coordinates: a point sent into a crop and back is the same point."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.faces.mesh import crop_of
from portraitist.faces.pose import estimate_pose, fit_head, frontality
from portraitist.faces.pyramid import Pyramid
from portraitist.faces.topology import mean_face, mirror_index, vertex_normals
from portraitist.geometry import angles_from_rotation, apply, invert, rotation_from_angles, square_crop
from portraitist.types import Pose

angles = st.floats(-180, 180)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(5, 2000), angles)
def test_a_crop_and_back(x: float, y: float, side: float, angle: float) -> None:
    matrix = square_crop(np.array([x, y]), side, angle, 192)
    points = np.array([[x, y], [x + side / 3, y - side / 4]], np.float32)
    assert apply(invert(matrix), apply(matrix, points)) == pytest.approx(points, abs=0.02 + side * 1e-4)
    assert apply(matrix, points)[0] == pytest.approx([96, 96], abs=0.05)


@given(angles, st.floats(0.5, 20), st.floats(-300, 300))
@settings(max_examples=30)
def test_the_crop_of_a_turned_mesh_turns_with_it(angle: float, scale: float, shift: float) -> None:
    rotation = rotation_from_angles(0, 0, angle)
    mesh = (mean_face() @ rotation.T * scale + [shift, -shift, 0]).astype(np.float32)
    _, side, roll = crop_of(mesh)
    _, straight, _ = crop_of(mean_face())
    assert side == pytest.approx(straight * scale, rel=0.01)
    assert (roll - angle + 180) % 360 - 180 == pytest.approx(0, abs=0.5)


@given(st.floats(-60, 60), st.floats(-40, 40), angles)
@settings(max_examples=50)
def test_a_turned_mean_face_gives_its_rotation(yaw: float, pitch: float, roll: float) -> None:
    mesh = (mean_face() @ rotation_from_angles(yaw, pitch, roll).T * 3).astype(np.float32)
    scale, rotation, _ = fit_head(mesh)
    read = angles_from_rotation(rotation)
    assert scale == pytest.approx(3, rel=1e-3)
    assert read[:2] == pytest.approx((yaw, pitch), abs=0.1)
    assert np.cos(np.radians(read[2] - roll)) > 0.9999


def test_pose_is_monotone_in_yaw_and_signed() -> None:
    turns = np.arange(-60, 61, 10)
    read = [estimate_pose((mean_face() @ rotation_from_angles(y, 0, 0).T).astype(np.float32)).yaw for y in turns]
    assert (np.diff(read) > 0).all()
    assert read[-1] == pytest.approx(-read[0], abs=1)
    assert frontality(Pose(0, 0, 90)) == 1
    assert frontality(Pose(70, 0, 0)) == pytest.approx(0, abs=1e-9)


@given(st.integers(100, 900), st.integers(100, 900), st.floats(0.03, 0.9))
@settings(max_examples=20, deadline=None)
def test_a_dot_is_where_the_matrix_says(x: int, y: int, scale: float) -> None:
    image = np.zeros((1000, 1001, 3), np.uint8)
    cv2.circle(image, (x, y), int(4 / scale), (255, 255, 255), -1)
    matrix = np.array([[scale, 0, 32 - scale * x], [0, scale, 32 - scale * y]])
    crop = Pyramid(image).warp(matrix, 64)[..., 0].astype(float)
    rows, columns = np.indices(crop.shape)
    inside = (x - 5 / scale > 0) & (y - 5 / scale > 0) & (x + 5 / scale < 1000) & (y + 5 / scale < 1000)
    if inside:
        assert (crop * columns).sum() / crop.sum() == pytest.approx(32, abs=0.6)
        assert (crop * rows).sum() / crop.sum() == pytest.approx(32, abs=0.6)


def test_mirror_pairs_agree_and_normals_point_out() -> None:
    mirror = mirror_index()
    assert (mirror[mirror] == np.arange(468)).all()
    assert vertex_normals(mean_face())[1, 2] < -0.5
