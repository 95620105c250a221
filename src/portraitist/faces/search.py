"""Which views of a photo the detectors look at: whole, tiles, and turned.

The whole photo comes first, and is all that a photo with a large, sure face needs. Tiles follow when what was found is
small (a group, a full figure) or nothing; quarter turns only when nothing upright was sure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from portraitist.faces.detect import BlazeFace, Detection, merge
from portraitist.faces.pyramid import Pyramid, pyramid_of
from portraitist.geometry import Matrix
from portraitist.placement import Placement
from portraitist.types import Image

SURE = 0.75
"""Score from which a detection needs no second opinion."""
LARGE = 0.15
"""A face of this part of the picture's longer side is the subject: no tiles are searched for others."""
_TILE = 480.0
_QUARTER_TURNS = (1, 3, 2)


class FaceSearch:
    """Finds faces of any size and quarter turn. Results are in picture pixels, best score first."""

    def __init__(self, placement: Placement = Placement(), *, threshold: float = 0.5) -> None:
        self._short = BlazeFace("short", placement)
        self._full = BlazeFace("full", placement)
        self._threshold = threshold

    def find(self, picture: Image | Pyramid, *, thorough: bool = False) -> list[Detection]:
        """Detections over the views that are needed, merged. `thorough` looks at every tile whatever was found."""
        levels = pyramid_of(picture)
        h, w = levels.image.shape[:2]
        found = self._look(levels, [whole_view(h, w)], 0)
        sure = any(d.score >= SURE and d.side >= LARGE * max(h, w) for d in found)
        if thorough or not sure:
            found = merge(found + self._look(levels, [*tiles(h, w, _TILE)], 0))
        if not any(d.score >= SURE for d in found):
            found = merge(found + self._search_harder(levels, h, w))
        return found

    def look_around(self, picture: Image | Pyramid, found: Detection) -> list[Detection]:
        """The same face looked at from each of the other quarter turns, in a view around it."""
        side = found.side * 2.5
        x, y = (found.box_xyxy[:2] + found.box_xyxy[2:]) / 2 - side / 2
        view = (float(x), float(y), side)
        return [d for turns in _QUARTER_TURNS for d in self._look(pyramid_of(picture), [view], turns)]

    def _search_harder(self, levels: Pyramid, h: int, w: int) -> list[Detection]:
        """For a photo without a sure face: a wider view for a face that fills it, turned views, smaller tiles."""
        found = self._look(levels, [whole_view(h, w, 2.0)], 0)
        for turns in _QUARTER_TURNS:
            found += self._look(levels, [whole_view(h, w)], turns)
        if not found:
            found = self._look(levels, [*tiles(h, w, min(_TILE, max(h, w) / 2.5))], 0)
        for turns in _QUARTER_TURNS if not found else ():
            found += self._look(levels, [*tiles(h, w, _TILE)], turns)
        return found

    def _look(self, levels: Pyramid, squares: list[tuple[float, float, float]], turns: int) -> list[Detection]:
        found: list[Detection] = []
        for x, y, side in squares:
            view = _turned_view(x, y, side, turns)
            for network in (self._full, self._short):
                found += network.look(levels, view, side, self._threshold)
        return merge(found)


def whole_view(h: int, w: int, margin: float = 1.1) -> tuple[float, float, float]:
    """Square (x, y, side) around the photo, `margin` times its longer side."""
    side = max(h, w) * margin
    return (w - side) / 2, (h - side) / 2, side


def tiles(h: int, w: int, side: float) -> Iterator[tuple[float, float, float]]:
    """Overlapping squares (x, y, side) that cover the photo; none where the whole view shows as much."""
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
