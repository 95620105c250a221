"""Which views of a photo the detectors look at: whole, tiles, and quarter turns.

The whole photo comes first; tiles are added when the photo is large enough to hide a 40 px face from the 192 px
network; quarter turns only when nothing upright was found.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from portraitist.faces.detect import BlazeFace, Detection, merge
from portraitist.geometry import Matrix
from portraitist.placement import Placement
from portraitist.types import Image


class FaceSearch:
    """Finds faces of any size and quarter turn. Results are in picture pixels, best score first."""

    def __init__(self, placement: Placement = Placement(), *, threshold: float = 0.5) -> None:
        self._short = BlazeFace("short", placement)
        self._full = BlazeFace("full", placement)
        self._threshold = threshold

    def find(self, image: Image) -> list[Detection]:
        """Detections over every view, merged."""
        found = self._look_everywhere(image, 0)
        if found:
            return found
        turned = [d for turns in (1, 3, 2) for d in self._look_everywhere(image, turns)]
        return merge(turned)

    def _look_everywhere(self, image: Image, turns: int) -> list[Detection]:
        found: list[Detection] = []
        h, w = image.shape[:2]
        for x, y, side in views(h, w):
            view = _turned_view(x, y, side, turns)
            for network in (self._full, self._short):
                found += network.look(image, view, side, self._threshold)
        return merge(found)


def views(h: int, w: int) -> Iterator[tuple[float, float, float]]:
    """Square views (x, y, side): the whole photo with a margin, then half-overlapping tiles of about 480 px."""
    whole = max(h, w) * 1.1
    yield (w - whole) / 2, (h - whole) / 2, whole
    side = 480.0
    if max(h, w) <= side * 1.3:
        return
    for y in _starts(h, side):
        for x in _starts(w, side):
            yield x, y, side


def _starts(length: int, side: float) -> list[float]:
    if length <= side:
        return [(length - side) / 2]
    count = int(np.ceil((length - side) / (side * 0.7))) + 1
    return [float(v) for v in np.linspace(0, length - side, count)]


def _turned_view(x: float, y: float, side: float, turns: int) -> Matrix:
    """Maps the view onto a square of `side`, after `turns` clockwise quarter turns of the picture."""
    angle = np.pi / 2 * turns
    c, s = round(np.cos(angle)), round(np.sin(angle))
    rotation = np.array([[c, -s], [s, c]], np.float64)
    centre = np.array([x + side / 2, y + side / 2])
    return np.hstack([rotation, (np.full(2, side / 2) - rotation @ centre)[:, None]])
