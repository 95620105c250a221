"""The filter: still points are held, quick ones followed, and it does not depend on the frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.stylize.one_euro import OneEuro


def run(values: np.ndarray, rate: float, cutoff: float = 1.0, beta: float = 0.5) -> np.ndarray:
    steady = OneEuro(cutoff, beta)
    return np.array([steady(value, index / rate) for index, value in enumerate(values)])


def test_jitter_is_held() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (100, 20, 2))
    assert run(noise, 30.0)[20:].std() < 0.4 * noise.std()


def test_a_quick_move_is_followed() -> None:
    """A point that goes by three face widths a second lags by less with beta than without."""
    path = np.linspace(0, 3, 30)[:, None, None] * np.ones((1, 5, 2))
    behind = [float(np.abs(run(path, 30.0, beta=beta) - path)[-1].mean()) for beta in (0.0, 0.5, 5.0)]
    assert behind == sorted(behind, reverse=True)
    assert behind[2] < 0.5 * behind[0]


def test_another_rate_is_the_same_filter() -> None:
    """A step is met to the same part after the same time, within what sampling allows."""
    slow, fast = run(np.ones((30, 1, 1)), 30.0, beta=0), run(np.ones((120, 1, 1)), 120.0, beta=0)
    assert slow[0] == fast[0] == 1
    step = [np.concatenate([np.zeros((1, 1, 1)), np.ones((n, 1, 1))]) for n in (30, 120)]
    ends = [float(run(path, rate, beta=0)[round(0.2 * rate)].mean()) for path, rate in zip(step, (30.0, 120.0))]
    assert ends[0] == pytest.approx(ends[1], abs=0.07)


def test_the_same_time_twice_changes_nothing() -> None:
    steady = OneEuro(1.0, 0.5)
    first = steady(np.zeros(3), 0.0)
    assert np.array_equal(steady(np.ones(3), 0.0), first)
