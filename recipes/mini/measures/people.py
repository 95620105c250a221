"""Averages over people: several pictures of one person count as one, and a person is never compared with themself.

A sample of the model is a person of its own. So the data are what training draws from, a person and then a picture of
that person, and all held-out pictures can be used without the many pictures of a few people weighing more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def averaging(people: Sequence[str] | int) -> Floats:
    """(people, pictures) matrix that averages over each person's pictures; a number stands for that many people."""
    if isinstance(people, int):
        return np.eye(people)
    _, index = np.unique(np.array(people), return_inverse=True)
    belongs = (np.arange(index.max() + 1)[:, None] == index).astype(np.float64)
    return np.asarray(belongs / belongs.sum(1, keepdims=True), np.float64)


def shares_of_pictures(people: Sequence[str] | int) -> Floats:
    """(pictures,) weights that sum to one, the same for every person."""
    if isinstance(people, int):
        return np.full(people, 1 / people)
    _, index, counts = np.unique(np.array(people), return_inverse=True, return_counts=True)
    return np.asarray(1 / (counts[index] * len(counts)), np.float64)


def between(values: Floats, a: Floats, b: Floats) -> Floats:
    """(people of a, people of b) means of pairwise values (pictures of a, pictures of b)."""
    return np.asarray(a @ values @ b.T, np.float64)


def draw_people(count: int, resamples: int, random: np.random.Generator) -> Floats:
    """(resamples, count): how often each person comes up when as many are drawn with replacement."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def mean_of_pairs(values: Floats, counts: Floats) -> Floats:
    """(r,) mean of values (n, n) over pairs of different people, each taken as often as counts (r, n) says.

    A person drawn twice is not paired with themself: such pairs would pull every resample the same way.
    """
    off = values - np.diag(np.diag(values))
    pairs = counts.sum(1) ** 2 - (counts**2).sum(1)
    return np.asarray(np.einsum("rn,rn->r", counts @ off, counts) / pairs, np.float64)


def mean_across(values: Floats, counts_a: Floats, counts_b: Floats) -> Floats:
    """(r,) the same mean over pairs of one of a and one of b; values (n, m)."""
    sums = np.einsum("rm,rm->r", counts_a @ values, counts_b)
    return np.asarray(sums / (counts_a.sum(1) * counts_b.sum(1)), np.float64)


def interval(resampled: Floats) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)
