"""The nouns: what may be compared, what moves with a picture, what a seed decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.errors import InputError, PlacementError
from portraitist.placement import Placement
from portraitist.types import Embedding, Expression, Face, Image, Pixels, Pose, Quality, derive

VECTOR = np.arange(4, dtype=np.float32)


def test_distance_is_euclidean_and_raw() -> None:
    assert Embedding(VECTOR, "dlib").distance(Embedding(VECTOR + 1, "dlib")) == pytest.approx(2.0)
    assert Embedding(VECTOR * 3, "dlib").distance(Embedding(VECTOR, "dlib")) > 1, "nothing is normalised"


def test_two_recognisers_are_never_compared() -> None:
    with pytest.raises(InputError, match="'dlib' and 'other'"):
        Embedding(VECTOR, "dlib").distance(Embedding(VECTOR, "other"))


def test_a_seed_does_not_depend_on_how_many_there_are() -> None:
    assert derive(7, 3) == derive(7, 3)
    # Golden: these numbers are in recipes; another derivation would replay other portraits.
    golden = [6213027144842677344, 8613600020916457518, 5995469358269906430]
    assert [derive(0, 0), derive(0, 1), derive(1, 0)] == golden


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_derived_seeds_fit_every_generator(seed: int, index: int) -> None:
    derived = derive(seed, index)
    assert 0 <= derived < 2**63
    assert derived != derive(seed, index + 1)
    assert derived != derive(seed + 1, index)


def test_seeds_do_not_run_into_one_another() -> None:
    seen = {derive(seed, index) for seed in range(60) for index in range(60)}
    assert len(seen) == 3600


def test_pixels_are_known_by_shape_and_bytes(astronaut: Image) -> None:
    assert Pixels(astronaut).digest == Pixels(astronaut.copy()).digest
    assert Pixels(np.asfortranarray(astronaut)).digest == Pixels(astronaut).digest, "layout is not content"
    changed = astronaut.copy()
    changed[5, 5, 0] ^= 1
    assert Pixels(changed).digest != Pixels(astronaut).digest
    assert Pixels(astronaut.reshape(256, 1024, 3)).digest != Pixels(astronaut).digest
    assert Pixels(astronaut).size == (512, 512)
    assert Pixels(astronaut).pixels(100).shape == (100, 100, 3)
    assert Pixels(astronaut).pixels(9000) is astronaut


@given(st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500))
def test_a_face_moves_with_its_picture(factor: float, dx: float, dy: float) -> None:
    points = np.random.default_rng(1).uniform(0, 100, (468, 3)).astype(np.float32)
    face = Face(np.array([10, 20, 60, 90], np.float32), points, 1, 1, Pose(1, 2, 3))
    moved = face.scaled(factor).moved(dx, dy)
    assert moved.width == pytest.approx(face.width * factor, rel=1e-3, abs=1e-3)
    assert moved.centre == pytest.approx(face.centre * factor + [dx, dy], rel=1e-3, abs=1e-3)
    assert moved.landmarks[:, 2] == pytest.approx(points[:, 2] * factor, rel=1e-4)
    assert moved.pose == face.pose


def test_one_bad_measure_spoils_the_quality() -> None:
    good = Quality(1, 1, 1, 1, 1, 200)
    assert good.overall == pytest.approx(1)
    assert Quality(1, 1, 1, 0.01, 1, 200).overall < 0.5
    assert Quality(0, 0, 0, 0, 0, 0).overall >= 0


def test_roll_is_free() -> None:
    assert Pose(3, 4, 170).angle_to(Pose(0, 0, -20)) == pytest.approx(5)
    assert Expression(1, 0, 0).distance(Expression(0, 0, 0)) == pytest.approx(1)


def test_a_placement_without_threads_or_cpu_teaches() -> None:
    with pytest.raises(PlacementError, match="at least 1"):
        Placement(threads=0)
    with pytest.raises(PlacementError, match="found device 'cuda'"):
        Placement("cuda").require_cpu("compose")
    Placement("cpu").require_cpu("compose")
