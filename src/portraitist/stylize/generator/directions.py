"""Named directions in w: found by regression of what the mesh measures, and measured on faces they were not found on.

With A the least-squares slopes of the traits (latent, traits) and S the covariance of w, the columns of
S A (A' S A)^-1 change each trait by one unit and the predicted others by none, along the ways w itself varies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from portraitist.errors import InputError
from portraitist.progress import Report, Step, silent
from portraitist.stylize.generator.networks import Generator
from portraitist.stylize.generator.sample import pictures_of, sample_latents
from portraitist.types import Image

Measure = Callable[[Image], Mapping[str, float] | None]
PSI = 0.8
RIDGE = 0.03
"""Added to the covariance, as a part of its mean variance: few faces for many dimensions."""
LEAST_FACES = 24


@dataclass(frozen=True)
class Directions:
    """vectors: (traits, latent); adding one times 1 changes its trait by about one standard deviation. deviations:
    those, in the trait's unit. names: of the traits."""

    names: tuple[str, ...]
    vectors: Tensor
    deviations: tuple[float, ...]

    def edit(self, w: Tensor, amounts: Mapping[str, float], *, places: Sequence[int] | None = None) -> Tensor:
        """(n, latents, latent) moved by `amounts` standard deviations of each named trait; places: only these latents.

        Raises InputError for an unknown name.
        """
        unknown = sorted(set(amounts) - set(self.names))
        if unknown:
            raise InputError(f"edit: no direction {', '.join(unknown)}; there are {', '.join(self.names)}")
        weights = torch.tensor([amounts.get(name, 0.0) for name in self.names]).to(self.vectors)
        chosen = torch.zeros(w.shape[1]).to(w)
        chosen[list(range(w.shape[1]) if places is None else places)] = 1
        return w + chosen[None, :, None] * (weights @ self.vectors)[None, None]


@dataclass(frozen=True)
class Effect:
    """What a direction did to faces it was not found on, in standard deviations for a step of one.

    gain: change of its own trait. leaks: of the others. faces: how many were measured.
    """

    gain: float
    leaks: Mapping[str, float]
    faces: int


def find_directions(
    generator: Generator,
    measure: Measure,
    names: Sequence[str],
    *,
    count: int = 400,
    seed: int = 0,
    report: Report = silent,
) -> Directions:
    """From `count` samples. Raises InputError when too few of them show a face."""
    w = sample_latents(generator, count, seed=seed, psi=PSI)
    values, seen = _measured(generator, w, measure, names, report)
    if seen.sum() < LEAST_FACES:
        raise InputError(
            f"directions: {int(seen.sum())} of {count} samples show a face, expected {LEAST_FACES}; train longer"
        )
    x = w[:, 0].double().cpu().numpy()[seen]
    return _fitted(x, values[seen], names, generator)


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64], names: Sequence[str], generator: Generator) -> Directions:
    deviations = np.maximum(y.std(axis=0), 1e-9)
    x, y = x - x.mean(axis=0), (y - y.mean(axis=0)) / deviations
    covariance = x.T @ x / len(x)
    eased = covariance + RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    slopes = np.linalg.solve(eased, x.T @ y / len(x))
    ways = covariance @ slopes
    vectors = ways @ np.linalg.pinv(slopes.T @ ways)
    tensor = torch.tensor(vectors.T, dtype=torch.float32).to(generator.synthesis.constant)
    return Directions(tuple(names), tensor, tuple(float(value) for value in deviations))


def measure_directions(
    generator: Generator,
    directions: Directions,
    measure: Measure,
    *,
    count: int = 40,
    seed: int = 1,
    step: float = 1.0,
    report: Report = silent,
) -> dict[str, Effect]:
    """Move other samples both ways along each direction and measure them again."""
    w = sample_latents(generator, count, seed=seed, psi=PSI)
    found = {}
    for number, name in enumerate(directions.names):
        ends = [directions.edit(w, {name: way * step}) for way in (1.0, -1.0)]
        (high, seen), (low, also) = (_measured(generator, end, measure, directions.names, report) for end in ends)
        both = seen & also
        change = (high[both] - low[both]).mean(axis=0) / (2 * step) if both.any() else np.zeros(len(directions.names))
        parts = dict(zip(directions.names, change / np.array(directions.deviations), strict=True))
        leaks = {other: float(value) for other, value in parts.items() if other != name}
        found[directions.names[number]] = Effect(float(parts[name]), leaks, int(both.sum()))
    return found


def _measured(
    generator: Generator, w: Tensor, measure: Measure, names: Sequence[str], report: Report
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, traits) values, and which pictures show a face."""
    pictures = pictures_of(generator, w)
    values, seen = np.zeros((len(pictures), len(names))), np.zeros(len(pictures), bool)
    for i, picture in enumerate(pictures):
        report(Step("directions", i + 1, len(pictures)))
        traits = measure(picture)
        if traits is not None:
            values[i], seen[i] = [traits[name] for name in names], True
    return values, seen
