"""An anchor keeps its place through pose, scale and another person's mesh; what cannot be anchored is None."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.faces.topology import FOREHEAD, LEFT_EYE_RING, mean_face, triangles
from portraitist.geometry import similarity_matrix
from portraitist.marks.anchor import (
    REACH_MM,
    Anchor,
    anchor_of,
    canonical,
    facing,
    is_visible,
    millimetres_per_pixel,
    mirrored,
    place,
    place_by_affine,
)
from portraitist.types import Face, Image
from tests.marks.meshes import face_of, head


def some_anchors(count: int, seed: int) -> list[Anchor]:
    random = np.random.default_rng(seed)
    drawn = zip(random.integers(0, len(triangles()), count), random.dirichlet([1, 1, 1], count), strict=True)
    return [Anchor(int(row), (float(w[0]), float(w[1]), float(w[2]))) for row, w in drawn]


def seen(count: int, face: Face, seed: int) -> list[Anchor]:
    return [anchor for anchor in some_anchors(count, seed) if is_visible(anchor, face)]


@pytest.mark.parametrize("seed", range(4))
def test_placed_and_anchored_again_is_the_same_place_at_any_pose(seed: int) -> None:
    yaw, pitch, roll = np.random.default_rng(seed).uniform(-35, 35, 3)
    face = head(yaw, pitch, roll, 1 + seed, seed)
    anchors = seen(60, face, seed)
    assert len(anchors) > 25
    for anchor in anchors:
        found = anchor_of(place(anchor, face), face)
        assert found is not None
        assert np.linalg.norm(place(found, face) - place(anchor, face)) < 0.01
        assert np.linalg.norm(canonical(found) - canonical(anchor)) < 1.5


@pytest.mark.parametrize("seed", range(3))
def test_an_anchor_follows_a_similarity_of_the_picture(seed: int) -> None:
    face, turned = head(20, 5), head(20, 5, 30, 1.7)
    matrix = similarity_matrix(face.landmarks[:, :2], turned.landmarks[:, :2])
    for anchor in seen(40, face, seed):
        moved = matrix @ np.append(place(anchor, face), 1)
        assert np.linalg.norm(moved - place(anchor, turned)) < 0.05


def real(reader: Any, image: Image) -> Face:
    face: Face = reader.read(image)[0]
    return face


def test_marks_of_one_person_land_at_the_same_parts_of_another(reader: Any, astronaut: Image, hopper: Image) -> None:
    ours, theirs = real(reader, astronaut), real(reader, hopper)
    for anchor in seen(80, ours, 5):
        found = anchor_of(place(anchor, ours), ours)
        assert found is not None
        back = anchor_of(place(found, theirs), theirs)
        if back is not None and is_visible(found, theirs):
            assert np.linalg.norm(canonical(back) - canonical(anchor)) < 3
    nose = anchor_of(ours.landmarks[1, :2], ours)
    assert nose is not None
    assert np.linalg.norm(place(nose, theirs) - theirs.landmarks[1, :2]) < 0.1


def test_a_point_above_the_forehead_is_extrapolated_up_to_the_limit() -> None:
    face = head(scale=3)
    pixels = 1 / millimetres_per_pixel(face)
    top = face.landmarks[FOREHEAD, :2] + np.float32([1, 0])
    near = top - [0, (REACH_MM - 1) * pixels]
    anchor = anchor_of(near, face)
    assert anchor is not None
    assert min(anchor.weights) < 0
    assert np.linalg.norm(place(anchor, face) - near) < 0.01
    again = place(anchor, head(scale=6))
    assert np.linalg.norm((again - 400) / 2 - (near - 400)) < 0.05
    assert anchor_of(top - [0, (REACH_MM + 1) * pixels], face) is None


def test_open_eyes_and_the_background_beside_a_cheek_have_no_anchor() -> None:
    face = head()
    assert anchor_of(face.landmarks[list(LEFT_EYE_RING), :2].mean(0), face) is None
    assert anchor_of(face.landmarks[454, :2] + [3, 0], face) is None


def test_a_cheek_turned_away_is_not_visible_and_never_chosen() -> None:
    left, right = (anchor_of(head().landmarks[vertex, :2], head()) for vertex in (50, 280))
    assert left is not None
    assert right is not None
    for yaw, shown, gone in ((75, left, right), (-75, right, left)):
        assert is_visible(shown, head(yaw))
        assert not is_visible(gone, head(yaw))
    face = head(75)
    for anchor in some_anchors(60, 3):
        found = anchor_of(place(anchor, face), face)
        assert found is None or facing(found, face) > 0


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (30, 0), (-50, 20), (60, -40)])
def test_the_ruler_does_not_shorten_with_a_turn(yaw: float, roll: float) -> None:
    assert millimetres_per_pixel(head(yaw, 0, roll)) == pytest.approx(millimetres_per_pixel(head()), rel=1e-4)
    assert millimetres_per_pixel(head(yaw, 0, roll, 6)) == pytest.approx(millimetres_per_pixel(head()) / 2, rel=1e-4)


def test_canonical_eyes_are_as_far_apart_as_the_ruler_says() -> None:
    pixels = np.linalg.norm(canonical(Anchor(0, (1, 0, 0))) - canonical(Anchor(500, (1, 0, 0))))
    flat = face_of(mean_face())
    corners = triangles()[[0, 500], 0]
    apart = np.linalg.norm(mean_face()[corners[0]] - mean_face()[corners[1]])
    assert pixels == pytest.approx(apart * millimetres_per_pixel(flat), rel=1e-5)


def test_mirrored_is_the_other_side_and_back() -> None:
    for anchor in some_anchors(300, 9):
        other = mirrored(anchor)
        assert np.linalg.norm(canonical(other) - canonical(anchor) * [-1, 1, 1]) < 0.6
        assert np.linalg.norm(canonical(mirrored(other)) - canonical(anchor)) < 1.0


def test_three_landmarks_carry_an_affine_exactly() -> None:
    face, matrix = head(10), np.array([[1.2, 0.3, 40], [-0.2, 0.9, 7]])
    target = (face.landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    for point in np.random.default_rng(1).uniform(250, 550, (30, 2)):
        carried = place_by_affine(point, face.landmarks, target)
        assert np.linalg.norm(carried - (matrix @ np.append(point, 1))) < 0.05


def test_landmarks_on_a_line_are_passed_over_or_refused() -> None:
    line = np.float32([[0, 0], [1, 0], [2, 0], [3, 0]])
    with pytest.raises(InputError, match="not on a line"):
        place_by_affine(np.zeros(2), line, line)
    points = np.concatenate([line, np.float32([[0, 9]])])
    assert np.allclose(place_by_affine(np.float32([0.4, 2]), points, points * 2), [0.8, 4], atol=1e-5)


def test_bad_anchors_and_faces_without_size_are_refused() -> None:
    with pytest.raises(InputError, match="three weights"):
        Anchor(len(triangles()), (1, 0, 0))
    with pytest.raises(InputError, match="three weights"):
        Anchor(0, (1, 1, 0))
    with pytest.raises(InputError, match="without size"):
        millimetres_per_pixel(replace(head(), landmarks=np.zeros((468, 3), np.float32)))
