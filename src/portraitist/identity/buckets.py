"""Aspect buckets: shapes of equal area that training pictures are cut to, and batches of one shape each."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from itertools import count

import numpy as np

BUCKETS_FROM = 512
"""Bases of this many pixels a side and more learn from other shapes too; smaller ones from squares only."""
_STEP = 64
_MOST_ASPECT = 1.5


def buckets(side: int) -> tuple[tuple[int, int], ...]:
    """(h, w) by width: of at most side x side pixels, sides multiples of 64, the long one at most 1.5 times the short.

    >>> buckets(512)
    ((576, 448), (512, 512), (448, 576))
    >>> buckets(128)
    ((128, 128),)
    """
    if side < BUCKETS_FROM:
        return ((side, side),)
    widths = range(_STEP, 2 * side, _STEP)
    shapes = [(side * side // width // _STEP * _STEP, width) for width in widths]
    return tuple(shape for shape in shapes if min(shape) and max(shape) <= _MOST_ASPECT * min(shape))


def bucket_of(size: tuple[int, int], side: int) -> tuple[int, int]:
    """(h, w) of the bucket whose shape is the nearest to that of a picture of `size` (h, w).

    >>> bucket_of((4000, 3000), 512)
    (576, 448)
    """
    wanted = math.log(size[0] / size[1])
    return min(buckets(side), key=lambda shape: abs(math.log(shape[0] / shape[1]) - wanted))


def batches(shapes: Sequence[Hashable], size: int, seed: int) -> Iterator[list[int]]:
    """Indices of pictures of one shape, `size` at a time, for ever: rounds through all, each in its own order.

    What a round leaves of a shape waits for the next, so every picture comes as often as any other. The sequence
    depends on nothing but the arguments: a resumed run skips to its place.
    """
    waiting: dict[Hashable, list[int]] = {}
    for round_ in count():
        for place in np.random.default_rng([seed, round_]).permutation(len(shapes)):
            batch = waiting.setdefault(shapes[place], [])
            batch.append(int(place))
            if len(batch) == size:
                yield waiting.pop(shapes[place])
