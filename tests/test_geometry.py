"""Transforms, for any numbers: what is built from a transform gives the transform back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from portraitist.geometry import (
    angles_from_rotation,
    apply,
    bounding_box,
    box_overlap,
    fit_within,
    invert,
    rotation_from_angles,
    similarity,
    similarity_matrix,
    square_crop,
)

degrees = st.floats(-179, 179)
coordinate = st.floats(-1000, 1000, allow_subnormal=False)
scale = st.floats(0.05, 20)
CLOUD = np.random.default_rng(3).normal(0, 40, (30, 3))


def box(low: int = -100, high: int = 100) -> st.SearchStrategy[NDArray[np.float64]]:
    """Any box with a positive area: corner and sides."""
    numbers = st.tuples(*[st.floats(low, high)] * 2, *[st.floats(0.5, high)] * 2)
    return numbers.map(lambda n: np.array([n[0], n[1], n[0] + n[2], n[1] + n[3]]))


@given(scale, degrees, st.floats(-80, 80), degrees, coordinate, coordinate, coordinate)
def test_similarity_recovers_a_transform_in_space(
    s: float, yaw: float, pitch: float, roll: float, x: float, y: float, z: float
) -> None:
    rotation, shift = rotation_from_angles(yaw, pitch, roll), np.array([x, y, z])
    found = similarity(CLOUD, s * CLOUD @ rotation.T + shift)
    assert found[0] == pytest.approx(s, rel=1e-6)
    assert found[1] == pytest.approx(rotation, abs=1e-6)
    assert found[2] == pytest.approx(shift, abs=1e-4)


def test_similarity_never_mirrors_and_weights_count() -> None:
    mirrored = CLOUD * [-1, 1, 1]
    assert np.linalg.det(similarity(CLOUD, mirrored)[1]) == pytest.approx(1)
    spoiled = CLOUD + 5
    spoiled[0] += 1000
    trusted = np.r_[0, np.ones(29)]
    assert similarity(CLOUD, spoiled, trusted)[2] == pytest.approx(np.full(3, 5.0), abs=1e-9)
    assert np.abs(similarity(CLOUD, spoiled)[2] - 5).max() > 1


def test_similarity_is_the_least_squares_one() -> None:
    """No small change of the answer fits noisy points better."""
    noisy = CLOUD[:, :2] * 2 + np.random.default_rng(0).normal(0, 5, (30, 2))
    best = similarity_matrix(CLOUD, noisy)
    error = ((apply(best, CLOUD[:, :2]) - noisy) ** 2).sum()
    for angle, size in ((1, 1), (-1, 1), (0, 1.01), (0, 0.99)):
        near = best.copy()
        near[:, :2] = size * rotation_from_angles(0, 0, angle)[:2, :2] @ best[:, :2]
        assert ((apply(near, CLOUD[:, :2]) - noisy) ** 2).sum() > error


@given(degrees, st.floats(-88, 88), degrees)
def test_angles_round_trip(yaw: float, pitch: float, roll: float) -> None:
    rotation = rotation_from_angles(yaw, pitch, roll)
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert angles_from_rotation(rotation) == pytest.approx((yaw, pitch, roll), abs=1e-5)


def test_angles_have_the_signs_the_conventions_promise() -> None:
    nose = np.array([0, 0, -1.0])
    assert (rotation_from_angles(30, 0, 0) @ nose)[0] > 0.4, "yaw > 0: the nose points to the picture's right"
    assert (rotation_from_angles(0, 30, 0) @ nose)[1] < -0.4, "pitch > 0: the nose points up"
    assert (rotation_from_angles(0, 0, 30) @ [0, -1.0, 0])[0] > 0.4, "roll > 0: the crown leans to the right"


@given(coordinate, coordinate, st.floats(1, 4000), degrees, st.integers(16, 512))
def test_square_crop_keeps_its_corners_and_inverts(x: float, y: float, side: float, angle: float, size: int) -> None:
    crop = square_crop(np.array([x, y]), side, angle, size)
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size], [size / 2, size / 2]], np.float64)
    placed = apply(invert(crop), corners)
    assert placed[4] == pytest.approx([x, y], abs=0.01)
    assert np.linalg.norm(placed[1] - placed[0]) == pytest.approx(side, rel=1e-2)
    across = (placed[1] - placed[0]) / side
    assert across == pytest.approx([np.cos(np.radians(angle)), np.sin(np.radians(angle))], abs=2e-2)
    assert apply(crop, placed) == pytest.approx(corners, abs=max(0.05, size * 2e-3 * 1000 / side))


@given(arrays(np.float64, (7, 3), elements=coordinate), scale)
def test_apply_scales_depth_with_the_plane(points: NDArray[np.float64], s: float) -> None:
    moved = apply(np.array([[0, -s, 3], [s, 0, 4]]), points)
    assert moved[:, 2] == pytest.approx(points[:, 2] * s, rel=1e-4, abs=1e-2)
    assert moved[:, 0] == pytest.approx(3 - s * points[:, 1], rel=1e-4, abs=1e-2)


@given(box(), box())
def test_box_overlap_is_a_share(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    overlap = box_overlap(a, b)
    assert 0 <= overlap <= 1
    assert overlap == pytest.approx(box_overlap(b, a))
    assert box_overlap(a, a) == pytest.approx(1)
    assert box_overlap(a, a + 1000) == 0


@given(box(), st.floats(0.1, 1))
def test_box_overlap_of_a_part_is_its_area(whole: NDArray[np.float64], share: float) -> None:
    part = whole.copy()
    part[2] = whole[0] + share * (whole[2] - whole[0])
    assert box_overlap(whole, part) == pytest.approx(share, rel=1e-6)


def test_box_overlap_of_empty_boxes_is_none() -> None:
    assert box_overlap(np.zeros(4), np.zeros(4)) == 0


@given(arrays(np.float32, (9, 3), elements=st.floats(-100, 100, width=32)))
def test_bounding_box_holds_every_point(points: NDArray[np.float32]) -> None:
    x0, y0, x1, y1 = bounding_box(points)
    assert ((points[:, 0] >= x0) & (points[:, 0] <= x1) & (points[:, 1] >= y0) & (points[:, 1] <= y1)).all()
    assert {x0, x1} <= set(points[:, 0].tolist())


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_fit_within_never_enlarges(h: int, w: int, side: int) -> None:
    image = np.full((h, w, 3), 77, np.uint8)
    fitted = fit_within(image, side)
    assert max(fitted.shape[:2]) == min(side, max(h, w))
    assert (fitted == 77).all()
    assume(max(h, w) <= side)
    assert fitted is image
