"""Aspect buckets and batches of one shape: pure functions."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from portraitist.identity.buckets import batches, bucket_of, buckets

TALL, SQUARE = (576, 448), (512, 512)


@pytest.mark.parametrize("side", [512, 768, 1024])
def test_buckets_have_one_area_and_no_extreme_shape(side: int) -> None:
    found = buckets(side)
    assert (side, side) in found
    assert len(found) >= 3
    for h, w in found:
        assert h % 64 == w % 64 == 0
        assert 0.85 * side**2 < h * w <= side**2
        assert max(h, w) <= 1.5 * min(h, w)
        assert (w, h) in found


def test_small_bases_learn_from_squares() -> None:
    assert buckets(128) == ((128, 128),)
    assert bucket_of((4000, 1000), 128) == (128, 128)


def test_a_photo_goes_to_the_nearest_shape() -> None:
    assert bucket_of((3000, 4000), 512) == (448, 576)
    assert bucket_of((1000, 1050), 512) == SQUARE
    assert bucket_of((9000, 1000), 1024) == max(buckets(1024))


def test_a_batch_has_one_shape_and_every_photo_comes_as_often() -> None:
    shapes = [SQUARE, TALL, SQUARE, SQUARE, TALL, SQUARE, SQUARE]
    found = list(islice(batches(shapes, 3, seed=1), 70))
    assert all(len({shapes[i] for i in batch}) == 1 and len(batch) == 3 for batch in found)
    counts = Counter(i for batch in found for i in batch)
    assert counts.keys() == set(range(7))
    assert max(counts.values()) - min(counts.values()) <= 3


def test_the_order_hangs_on_the_seed_alone() -> None:
    shapes = [SQUARE, TALL, SQUARE]
    assert list(islice(batches(shapes, 2, 5), 20)) == list(islice(batches(shapes, 2, 5), 20))
    assert list(islice(batches(shapes, 2, 5), 20)) != list(islice(batches(shapes, 2, 6), 20))


def test_with_one_shape_the_rounds_follow_each_other() -> None:
    orders = np.concatenate([np.random.default_rng([3, round_]).permutation(5) for round_ in range(4)])
    assert [i for batch in islice(batches([SQUARE] * 5, 4, 3), 5) for i in batch] == orders.tolist()
