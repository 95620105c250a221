"""How far two sets of pictures are apart as a whole, by their EfficientNet-Lite0 features.

The held-out set has fewer than a hundred people, and both measures are built around that. KID has no bias at any size,
so sets of any sizes may be compared. Fréchet's distance has a large one, which grows as sets shrink: every number here
is taken at one and the same number of people on both sides, so it is good for comparing, never against other papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from recipes.mini.measures.people import (
    Floats,
    averaging,
    between,
    draw_people,
    interval,
    mean_across,
    mean_of_pairs,
    shares_of_pictures,
)

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Kid:
    """Squared maximum mean discrepancy. low, high: 95 % bootstrap interval. people_a, people_b: set sizes."""

    value: float
    low: float
    high: float
    people_a: int
    people_b: int

    def row(self) -> tuple[str, str, str]:
        """In thousandths, as papers print it."""
        low, high = 1000 * self.low, 1000 * self.high
        return "KID x 1000", f"{1000 * self.value:.2f} ({low:.2f} to {high:.2f})", f"{self.people_a} x {self.people_b}"


def kid(
    features_a: Features,
    features_b: Features,
    people_a: Sequence[str] | None = None,
    people_b: Sequence[str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Kid:
    """Unbiased MMD^2 of features (n, d) and (m, d) with the kernel (x.y / d + 1)^3; it may fall below zero.

    Pictures of one person (`people_*`) share that person's weight. The interval is a bootstrap over the people of both
    sets; near zero it is wider than it need be (66 tune faces against the 527 others, x 1000: values spread by 4.6 at
    95 %, intervals are about 9 wide). Source: Binkowski et al., "Demystifying MMD GANs", ICLR 2018, equation 4 and
    section 3. Raises InputError for fewer than two people a set.
    """
    value, resampled = _discrepancies(features_a, features_b, people_a, people_b, resamples, seed)
    low, high = interval(resampled)
    count_a, count_b = len(set(people_a or range(len(features_a)))), len(set(people_b or range(len(features_b))))
    return Kid(value, low, high, count_a, count_b)


@dataclass(frozen=True)
class KidRatio:
    """KID of one set of samples over that of another, against the same held-out faces. low, high: 95 % interval."""

    value: float
    low: float
    high: float

    def row(self) -> tuple[str, str, str]:
        """A plain number."""
        return "KID over the other's", f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})", "same held-out faces"


def kid_ratio(
    held_out: Features,
    ours: Features,
    other: Features,
    people: Sequence[str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> KidRatio:
    """How much nearer `ours` is to the held-out faces (of `people`) than `other`.

    The held-out people are drawn alike for both, so what is odd about them falls out of the ratio. It means little
    where the other's KID is itself near zero. Raises InputError for fewer than two people a set.
    """
    one, resampled_one = _discrepancies(held_out, ours, people, None, resamples, seed)
    two, resampled_two = _discrepancies(held_out, other, people, None, resamples, seed)
    return KidRatio(one / two, *interval(resampled_one / resampled_two))


def _discrepancies(
    features_a: Features,
    features_b: Features,
    people_a: Sequence[str] | None,
    people_b: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> tuple[float, Floats]:
    """MMD^2, and (resamples,) of it with people drawn anew; a's are drawn first, the same for every b."""
    a, b = averaging(people_a or len(features_a)), averaging(people_b or len(features_b))
    if min(len(a), len(b)) < 2:
        raise InputError(f"KID: expected two people a set, found {len(a)} and {len(b)}; use more pictures")
    within_a = between(_kernel(features_a, features_a), a, a)
    within_b = between(_kernel(features_b, features_b), b, b)
    across = between(_kernel(features_a, features_b), a, b)

    def discrepancy(counts_a: Floats, counts_b: Floats) -> Floats:
        return (
            mean_of_pairs(within_a, counts_a)
            + mean_of_pairs(within_b, counts_b)
            - 2 * mean_across(across, counts_a, counts_b)
        )

    random = np.random.default_rng(seed)
    value = float(discrepancy(np.ones((1, len(a))), np.ones((1, len(b))))[0])
    return value, discrepancy(draw_people(len(a), resamples, random), draw_people(len(b), resamples, random))


def _kernel(one: Features, other: Features) -> Floats:
    products = one.astype(np.float64) @ other.astype(np.float64).T
    return np.asarray((products / one.shape[1] + 1) ** 3, np.float64)


@dataclass(frozen=True)
class Frechet:
    """value: mean over draws. low, high: middle 95 % of the draws (zero width when there is but one way to draw).
    components: of the PCA, which hold `explained` of the reference's variance. people: on each side of every draw."""

    value: float
    low: float
    high: float
    components: int
    explained: float
    people: int

    def row(self) -> tuple[str, str, str]:
        """With the number of people, without which it means nothing."""
        value = f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"
        return f"Fréchet distance, {self.components} components", value, f"{self.people} people a side"


def frechet_pca(
    reference: Features,
    a: Features,
    b: Features,
    *,
    people_reference: Sequence[str] | None = None,
    people_a: Sequence[str] | None = None,
    people_b: Sequence[str] | None = None,
    components: int = 48,
    count: int | None = None,
    draws: int = 100,
    seed: int = 0,
) -> Frechet:
    """|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of the features on the reference's principal components.

    reference, a, b: (n, d) features; the PCA sees the reference alone (the training split: held-out faces have no say
    in it). Each of `draws` takes `count` people a side (as many as the smaller set has) and one picture of each. The
    components were chosen on the reference, which flatters a set drawn from it slightly. Source: Heusel et al., "GANs
    trained by a two time-scale update rule", NeurIPS 2017, equation 6; on its bias: Chong and Forsyth, CVPR 2020.
    Raises InputError when there are not more people than components.
    """
    groups_a, groups_b = _pictures_of(people_a, len(a)), _pictures_of(people_b, len(b))
    count = count or min(len(groups_a), len(groups_b))
    if count <= components or count > min(len(groups_a), len(groups_b)):
        raise InputError(
            f"Fréchet distance: expected over {components} people in each set, found {len(groups_a)} and "
            f"{len(groups_b)}, of which {count} asked; use more pictures or fewer components"
        )
    middle, axes, explained = _principal(reference, people_reference, components)
    sides = (((a - middle) @ axes, groups_a), ((b - middle) @ axes, groups_b))
    random = np.random.default_rng(seed)
    values = np.array(
        [_frechet(*(_drawn(rows, groups, count, random) for rows, groups in sides)) for _ in range(draws)]
    )
    return Frechet(float(values.mean()), *interval(values), components, explained, count)


def _pictures_of(people: Sequence[str] | None, count: int) -> list[NDArray[np.intp]]:
    """Indices of each person's pictures."""
    if people is None:
        return [np.array([i]) for i in range(count)]
    names = np.array(people)
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def _drawn(rows: Floats, groups: list[NDArray[np.intp]], count: int, random: np.random.Generator) -> Floats:
    chosen = random.permutation(len(groups))[:count]
    return rows[[random.choice(groups[person]) for person in chosen]]


def _principal(rows: Features, people: Sequence[str] | None, components: int) -> tuple[Floats, Floats, float]:
    """Mean (d,), axes (d, components) and their share of the variance, each person weighing the same."""
    share = shares_of_pictures(people or len(rows))
    middle = share @ rows.astype(np.float64)
    centred = rows - middle
    power, vectors = np.linalg.eigh((centred * share[:, None]).T @ centred)
    power, vectors = power[::-1], vectors[:, ::-1]
    return middle, vectors[:, :components], float(power[:components].sum() / power.sum())


def _frechet(a: Floats, b: Floats) -> float:
    spread_a, spread_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    power, vectors = np.linalg.eigh(spread_a)
    root = (vectors * np.sqrt(power.clip(0))) @ vectors.T
    # The trace of (S_a S_b)^(1/2) is that of (root S_b root)^(1/2), which is symmetric.
    shared = np.sqrt(np.linalg.eigvalsh(root @ spread_b @ root).clip(0)).sum()
    gap = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(max(gap + np.trace(spread_a) + np.trace(spread_b) - 2 * shared, 0.0))
