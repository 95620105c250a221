"""Is there a face, and is it as clearly one as in real pictures of the same size?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.mini.measures.people import shares_of_pictures
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import Share, share


@dataclass(frozen=True)
class FaceFinding:
    """found: share of pictures with a face. present: share whose mesh presence is above `floor`, a logit, the 5th
    percentile of real pictures; a picture without a face is below it."""

    found: Share
    present: Share
    floor: float

    def row(self) -> tuple[str, str, str]:
        """Found first."""
        return "a face is found", str(self.found), f"presence logit above {self.floor:.1f}: {self.present}"


def presence_floor(real: Sequence[Reading], people: Sequence[str] | None = None, *, percentile: float = 5) -> float:
    """That percentile of the presence logit over real pictures, each person weighing the same.

    As a probability presence is 1.0 for every real face, so the network's logit is compared instead.
    """
    values = np.array([-np.inf if r.presence is None else r.presence for r in real])
    order = np.argsort(values)
    reached = np.cumsum(shares_of_pictures(people or len(real))[order])
    return float(values[order][np.searchsorted(reached, percentile / 100)])


def face_finding(pictures: Sequence[Reading], floor: float, people: Sequence[str] | None = None) -> FaceFinding:
    """Shares over pictures, or people where they are named."""
    found = [reading.face is not None for reading in pictures]
    present = [reading.presence is not None and reading.presence > floor for reading in pictures]
    return FaceFinding(share(found, people), share(present, people), floor)
