"""Perceptual hash and what it keeps."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.album.duplicates import hash_distance, keep_best, perceptual_hash
from portraitist.image import open_photo
from portraitist.types import Image


def test_copies_are_near_and_other_pictures_far(astronaut: Image, hopper_path: object) -> None:
    own = perceptual_hash(astronaut)
    small = cv2.resize(astronaut, (200, 200), interpolation=cv2.INTER_AREA)
    brighter = np.clip(astronaut * 1.15 + 5, 0, 255).astype(np.uint8)
    other = perceptual_hash(open_photo(hopper_path).pixels())  # type: ignore[arg-type]
    assert hash_distance(own, perceptual_hash(np.asarray(small, np.uint8))) <= 2
    assert hash_distance(own, perceptual_hash(brighter)) <= 6
    assert hash_distance(own, other) > 16
    assert hash_distance(own, perceptual_hash(astronaut[:, ::-1])) > 16


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 255))
def test_hash_takes_any_picture(h: int, w: int, value: int) -> None:
    assert 0 <= perceptual_hash(np.full((h, w, 3), value, np.uint8)) < 2**64


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hash_distance_is_a_metric(a: int, b: int, c: int) -> None:
    assert hash_distance(a, a) == 0
    assert hash_distance(a, b) == hash_distance(b, a) <= 64
    assert hash_distance(a, c) <= hash_distance(a, b) + hash_distance(b, c)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(0, 1)), max_size=30), st.integers(0, 32))
def test_dropped_ones_are_near_a_kept_one_that_is_no_worse(items: list[tuple[int, float]], bits: int) -> None:
    hashes, scores = [h for h, _ in items], [s for _, s in items]
    stands_for = keep_best(hashes, scores, bits)
    for i, stand_in in enumerate(stands_for):
        assert stands_for[stand_in] == stand_in
        if i != stand_in:
            assert scores[stand_in] >= scores[i]
            assert hash_distance(hashes[i], hashes[stand_in]) <= bits
    kept = [i for i, stand_in in enumerate(stands_for) if i == stand_in]
    assert all(hash_distance(hashes[a], hashes[b]) > bits for a in kept for b in kept if a < b)


def test_faces_that_differ_visibly_are_not_duplicates_on_the_same_background() -> None:
    views = np.array([[0.0], [0.5], [3.0]], np.float32)
    assert keep_best([7, 7, 7], [0.5, 0.9, 0.1], 6, views) == [1, 1, 2]
