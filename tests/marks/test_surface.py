"""Skin laid flat: a disc on it is round head-on and an ellipse where it turns away; patches go there and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.marks.anchor import Anchor, anchor_of, facing, millimetres_per_pixel, place
from portraitist.marks.surface import PATCH_SIDE, PATCH_SPAN, patch_matrix, patch_side, skin_frame
from portraitist.types import Face
from tests.marks.meshes import head


def _anchor(face: Face, vertex: int) -> Anchor:
    found = anchor_of(face.landmarks[vertex, :2] + [0.3, 0.2], face)
    assert found is not None
    return found


def test_on_the_middle_of_the_forehead_a_disc_stays_a_disc() -> None:
    face = head()
    sizes = np.linalg.svd(skin_frame(_anchor(face, 151), face))[1] * millimetres_per_pixel(face)
    assert sizes[0] == pytest.approx(1, abs=0.02)
    assert sizes[1] > 0.8


def test_the_narrow_side_of_the_ellipse_is_the_cosine_to_the_camera() -> None:
    face = head(yaw=45)
    for vertex in (50, 101, 280, 151, 205):
        anchor = _anchor(head(), vertex)
        sizes = np.linalg.svd(skin_frame(anchor, face))[1] * millimetres_per_pixel(face)
        assert sizes[0] == pytest.approx(1, abs=1e-6)
        assert sizes[1] == pytest.approx(abs(facing(anchor, face)), abs=0.15)


@pytest.mark.parametrize("roll", [0.0, 30.0, 90.0, -150.0])
def test_down_the_face_turns_with_the_head(roll: float) -> None:
    upright, turned = head(), head(roll=roll)
    anchor = _anchor(upright, 205)
    cosine, sine = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    wanted = np.array([[cosine, -sine], [sine, cosine]]) @ skin_frame(anchor, upright)
    np.testing.assert_allclose(skin_frame(anchor, turned), wanted, atol=1e-3)


def test_it_never_mirrors() -> None:
    for yaw in (-50, 0, 50):
        face = head(yaw=yaw)
        for vertex in (50, 280, 151, 199):
            anchor = _anchor(head(), vertex)
            if facing(anchor, face) > 0.3:
                assert np.linalg.det(skin_frame(anchor, face)) > 0


def test_a_patch_covers_its_span_around_the_anchor() -> None:
    face, side = head(yaw=20), 31
    anchor = _anchor(head(), 101)
    matrix = patch_matrix(anchor, face, 4.0, side)
    np.testing.assert_allclose(matrix @ [15, 15, 1], place(anchor, face), atol=1e-3)
    across = np.linalg.norm((matrix @ [30, 15, 1]) - (matrix @ [0, 15, 1])) * 31 / 30
    assert across <= PATCH_SPAN * 4.0 / millimetres_per_pixel(face) + 1e-6
    moved = patch_matrix(anchor, face, 4.0, side, at=np.array([10.0, 20.0]))
    np.testing.assert_allclose(moved @ [15, 15, 1], [10, 20], atol=1e-6)


def test_a_disc_cut_from_a_turned_cheek_is_round() -> None:
    face = head(yaw=50)
    anchor = _anchor(head(), 50)
    matrix = patch_matrix(anchor, face, 6.0, 61)
    flat = np.zeros((61, 61), np.float32)
    cv2.circle(flat, (30, 30), 10, 1.0, -1)
    picture = cv2.warpAffine(flat, matrix, (800, 800))
    back = cv2.warpAffine(picture, matrix, (61, 61), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    y, x = np.nonzero(back > 0.5)
    assert np.ptp(x) == pytest.approx(np.ptp(y), abs=3)
    assert np.ptp(x) == pytest.approx(20, abs=3)


def test_the_side_of_a_patch_is_bounded() -> None:
    assert patch_side(0.5) == PATCH_SIDE[0]
    assert patch_side(8) == 30
    assert patch_side(500) == PATCH_SIDE[1]
