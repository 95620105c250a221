"""Glasses: frames and dark lenses."""

from __future__ import annotations

import numpy as np

from portraitist.types import Face, Image


def glasses_score(image: Image, face: Face) -> float:
    """How sure it is that the face wears glasses, in [0, 1]."""
    return 0.0


def wears_glasses(image: Image, face: Face) -> bool:
    """True when the score passes the threshold set on the tune photos."""
    return bool(np.greater(glasses_score(image, face), 0.5))
