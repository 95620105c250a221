"""The One Euro filter: a still point is held steady, a quick one is followed.

Source: Casiez, Roussel, Vogel, "1 € filter: a simple speed-based low-pass filter for noisy input in interactive
systems", CHI 2012: a low-pass filter whose cut-off rises with the speed, f = f_min + beta |v| (eq. 6-7, algorithm 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_SPEED_CUTOFF = 1.0
"""Hz, of the speed itself: the paper's value."""


@dataclass
class OneEuro:
    """Filters arrays of one shape, one at a time. cutoff: Hz when still. beta: Hz for each unit a second.

    >>> steady = OneEuro(cutoff=1.0, beta=0.0)
    >>> float(steady(np.array([0.0]), 0.0)[0]), float(steady(np.array([1.0]), 0.1)[0]) < 0.5
    (0.0, True)
    """

    cutoff: float
    beta: float
    _value: NDArray[np.float64] | None = field(default=None, repr=False)
    _speed: NDArray[np.float64] | None = field(default=None, repr=False)
    _time: float = 0.0

    def __call__(self, values: NDArray[np.floating], time: float, unit: float = 1.0) -> NDArray[np.float64]:
        """The smoothed values. time: seconds, rising; a frame of the same time gives the same values. unit: of the
        values that speed is counted in."""
        now = np.asarray(values, np.float64)
        step = time - self._time
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time = now, np.zeros_like(now), time
            return now
        if step <= 0:
            return self._value
        speed = (now - self._value) / step
        self._speed = self._speed + _share(_SPEED_CUTOFF, step) * (speed - self._speed)
        # Points (n, d) share one cut-off, by their mean speed: a mesh must not be bent by filtering.
        length = float(np.linalg.norm(self._speed, axis=-1).mean()) if now.ndim > 1 else float(abs(self._speed).mean())
        self._value = self._value + _share(self.cutoff + self.beta * length / unit, step) * (now - self._value)
        self._time = time
        return self._value


def _share(cutoff: float, step: float) -> float:
    """How much of a new value counts: 1 / (1 + tau / T) with tau = 1 / (2 pi f)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
