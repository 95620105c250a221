"""Variety: how different the people of a set are from one another, against the people of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from recipes.mini.measures.people import Floats, averaging, between, draw_people, interval, mean_of_pairs
from recipes.mini.measures.reading import Reading


@dataclass(frozen=True)
class Variety:
    """Mean descriptor distance of two people of the set, of two people of the data, and their ratio with its 95 %
    bootstrap interval. people: of the set."""

    distance: float
    data_distance: float
    ratio: float
    low: float
    high: float
    people: int

    def row(self) -> tuple[str, str, str]:
        """The ratio, and what it is made of."""
        remark = f"mean pairwise distance {self.distance:.3f}, data {self.data_distance:.3f}, {self.people} people"
        return "variety against the data", f"{self.ratio:.3f} ({self.low:.3f} to {self.high:.3f})", remark


def variety(
    pictures: Sequence[Reading],
    data: Sequence[Reading],
    people: Sequence[str] | None = None,
    people_data: Sequence[str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Variety:
    """Both at the same picture size, or the ratio compares sizes. Pictures without a face are left out.

    Raises InputError for fewer than two people with a face.
    """
    random = np.random.default_rng(seed)
    ours, theirs = _distances(pictures, people), _distances(data, people_data)
    resampled = [mean_of_pairs(d, draw_people(len(d), resamples, random)) for d in (ours, theirs)]
    distance, data_distance = (float(mean_of_pairs(d, np.ones((1, len(d))))[0]) for d in (ours, theirs))
    low, high = interval(resampled[0] / resampled[1])
    return Variety(distance, data_distance, distance / data_distance, low, high, len(ours))


def _distances(pictures: Sequence[Reading], people: Sequence[str] | None) -> Floats:
    """(n, n) mean distances between people."""
    found = [(i, picture.descriptor) for i, picture in enumerate(pictures) if picture.descriptor is not None]
    names = [str(i) if people is None else people[i] for i, _ in found]
    if len(set(names)) < 2:
        raise InputError(f"variety: expected two people with a face, found {len(set(names))}; use more pictures")
    groups = averaging(names)
    return between(pairwise_distances(np.stack([descriptor for _, descriptor in found])), groups, groups)


def pairwise_distances(rows: NDArray[np.float32]) -> Floats:
    """(n, n) Euclidean distances of (n, d) rows."""
    exact = rows.astype(np.float64)
    squares = (exact**2).sum(1)
    return np.asarray(np.sqrt((squares[:, None] + squares - 2 * exact @ exact.T).clip(0)), np.float64)
