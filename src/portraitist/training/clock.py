"""How long a run's steps take and how long it has still to go, from its recent steps and its last stop for checks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

RECENT = 30
"""Steps that the mean is taken over."""
FIRST_GUESS = 3
"""Steps before anything is said: the first ones warm up caches."""


class Clock:
    """Measures steps and, apart from them, the pauses in which checkpoints are written and checked.

    now: a clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._begun = now, now()
        self._steps: deque[float] = deque(maxlen=RECENT)
        self._pause = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self._now() - self._begun

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around one step."""
        begun = self._now()
        yield
        self._steps.append(self._now() - begun)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Around a checkpoint and its checks. The newest counts for those to come."""
        begun = self._now()
        yield
        self._pause = self._now() - begun

    @property
    def step_seconds(self) -> float | None:
        """Mean of the recent steps; None while there are too few."""
        return sum(self._steps) / len(self._steps) if len(self._steps) >= FIRST_GUESS else None

    def remaining(self, steps: int, pauses: int) -> float | None:
        """Seconds for so many steps and pauses more; None while nothing can be said."""
        each = self.step_seconds
        return None if each is None else steps * each + pauses * self._pause
