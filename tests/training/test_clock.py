"""Time left: from recent steps, with the checks that are still to come."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from portraitist.training.clock import RECENT, Clock
from portraitist.training.loop import Pace


class Watch:
    """A clock that is wound by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def _walk(clock: Clock, watch: Watch, count: int, seconds: float) -> None:
    for _ in range(count):
        with clock.step():
            watch.time += seconds


def test_nothing_is_said_of_the_first_steps() -> None:
    watch = Watch()
    clock = Clock(watch)
    _walk(clock, watch, 2, 9.0)
    assert clock.step_seconds is None
    assert clock.remaining(10, 1) is None


def test_old_steps_are_forgotten_and_one_slow_step_moves_little() -> None:
    watch = Watch()
    clock = Clock(watch)
    _walk(clock, watch, 5, 60.0)
    _walk(clock, watch, RECENT, 2.0)
    assert clock.step_seconds == pytest.approx(2.0)
    _walk(clock, watch, 1, 5.0)
    assert clock.step_seconds == pytest.approx(2.1)
    assert clock.elapsed == pytest.approx(5 * 60 + RECENT * 2 + 5)


def test_checks_still_to_come_count() -> None:
    watch = Watch()
    clock = Clock(watch)
    _walk(clock, watch, 5, 2.0)
    with clock.pause():
        watch.time += 30
    assert clock.step_seconds == pytest.approx(2.0)
    assert clock.remaining(10, 3) == pytest.approx(10 * 2 + 3 * 30)


@pytest.mark.parametrize(("step", "left"), [(0, 3), (4, 3), (5, 2), (10, 1), (11, 1), (12, 0)])
def test_the_last_step_is_saved_too(step: int, left: int) -> None:
    pace = Pace(12, save_every=5)
    assert pace.saves_after(step) == left == sum(pace.has_save(later) for later in range(step + 1, 13))
    assert Pace(12, save_every=0).saves_after(step) == 0
