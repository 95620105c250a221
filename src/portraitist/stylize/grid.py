"""Whether a network that works on blocks of pixels left their borders visible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image


def border_ratio(picture: NDArray[np.float32] | Image, period: int = 8) -> float:
    """Mean step between neighbours across borders of `period` pixels over that inside: 1 without a grid.

    picture: (h, w, c), any range, the grid counted from its corner; both ways together.
    """
    steps = [np.abs(np.diff(picture.astype(np.float64), axis=axis)).mean(axis=(1 - axis, 2)) for axis in (0, 1)]
    at_border = np.concatenate([np.arange(1, len(step) + 1) % period == 0 for step in steps])
    together = np.concatenate(steps)
    return float(together[at_border].mean() / max(together[~at_border].mean(), 1e-12))
