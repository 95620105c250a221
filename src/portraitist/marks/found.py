"""What a detector finds: marks in pixels of a skin view. Detectors are engines of the task `marks`:
`build(config, placement, *, report) -> engine`, `engine(view, *, seed=0) -> Iterator[FoundMark]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from portraitist.marks.kinds import MarkKind
from portraitist.marks.view import SkinView
from portraitist.types import Points


@dataclass(frozen=True, eq=False)
class FoundMark:
    """One mark. points: (1, 2) of a point mark, (n, 2) along a wrinkle, pixels of the view (or as the caller says).

    diameter: pixels, of a wrinkle its width. score: in [0, 1], how sure the detector is.
    """

    kind: MarkKind
    points: Points
    diameter: float
    score: float

    def in_photo(self, view: SkinView) -> FoundMark:
        """The same mark in pixels of the photo that the view was made from."""
        return replace(self, points=view.to_photo(self.points), diameter=self.diameter / view.scale)


class Detector(Protocol):
    """An engine of the task `marks`."""

    def __call__(self, view: SkinView, *, seed: int = 0) -> Iterator[FoundMark]:
        """The marks of a view, surest first. Detectors draw nothing at random; `seed` is the engines' contract."""
        ...
