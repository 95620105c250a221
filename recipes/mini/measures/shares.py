"""A share of people or pictures, with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portraitist.errors import InputError


@dataclass(frozen=True)
class Share:
    """value: in [0, 1]. of: how many people (a sample is one). low, high: 95 % interval."""

    value: float
    of: int
    low: float
    high: float

    def __str__(self) -> str:
        """As a table has it.

        >>> str(share([True, False, True, True]))
        '75.0 % of 4 (30-95)'
        """
        return f"{100 * self.value:.1f} % of {self.of} ({100 * self.low:.0f}-{100 * self.high:.0f})"


def share(hits: Sequence[bool], people: Sequence[str] | None = None) -> Share:
    """How often `hits` is true; with `people`, the mean over people of each one's own share.

    Interval: Wilson, "Probable inference, the law of succession, and statistical inference", 1927, with people for
    the number of trials. Raises InputError for no pictures.
    """
    if not len(hits):
        raise InputError("a share: expected at least one picture, found none; measure a larger set")
    values = np.asarray(hits, np.float64)
    if people is not None:
        _, index = np.unique(np.array(people), return_inverse=True)
        values = np.bincount(index, values) / np.bincount(index)
    return _wilson(float(values.mean()), len(values))


def _wilson(value: float, trials: int, z: float = 1.959964) -> Share:
    middle = (value + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * np.sqrt(value * (1 - value) / trials + z * z / (4 * trials**2))
    return Share(value, trials, max(0.0, float(middle - reach)), min(1.0, float(middle + reach)))
