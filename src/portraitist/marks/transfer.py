"""A sitter's marks carried over to a portrait: what their skin has and the portrait lacks is added, and what they want
gone is painted out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.marks.canvas import Canvas, Drawing, canvas_of, drawing_of, places_of
from portraitist.marks.config import TransferConfig
from portraitist.marks.found import FoundMark
from portraitist.marks.hiding import Presence, found_there, presence
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import Mark, PointMark, Wrinkle
from portraitist.marks.paint import added, painted_out
from portraitist.types import Face, Image, Mask

_DEFAULT = TransferConfig()


@dataclass(frozen=True, eq=False)
class Transferred:
    """The portrait with the marks. put: ids of the marks drawn. skipped: why each other one was not: `turned away`,
    `off the picture`, `hidden`, `in hair`, `too small`, `unsure`, `seen once`, `already there`, `softened`, `removed`,
    `to be removed`, `strength 0`."""

    image: Image
    put: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


def transfer_marks(
    image: Image,
    face: Face,
    sitter_map: MarksMap,
    config: TransferConfig = _DEFAULT,
    *,
    present: Sequence[FoundMark] = (),
    hidden: Mask | None = None,
) -> Transferred:
    """Draw the marks of `sitter_map` that the portrait does not show yet.

    face: in pixels of `image`. present: marks that a detector found in it, pixels of the image; besides those, a mark
    is looked for where it belongs. hidden: (h, w), 1 where hair, glasses, a hat or a hand cover the face. All marks
    are judged on the picture as given, so that none is taken for another's copy.
    """
    if config.marks_strength == 0:
        return Transferred(image, (), {mark.mark_id: "strength 0" for mark in sitter_map.all})
    canvas = canvas_of(image, face, config, hidden)
    places = {mark.mark_id: places_of(mark, canvas) for mark in sitter_map.all}
    found = found_there(sitter_map.all, places, present, millimetres_per_pixel(face))
    result, put, skipped = image, [], {}
    for mark in sitter_map.all:
        reason: str | None = "seen once"
        if not _is_doubtful(mark, sitter_map):
            result, reason = _carried(result, mark, canvas, places, found.get(mark.mark_id))
        if reason is None:
            put.append(mark.mark_id)
        else:
            skipped[mark.mark_id] = reason
    return Transferred(result, tuple(put), skipped)


def _is_doubtful(mark: Mark, sitter_map: MarksMap) -> bool:
    """A wrinkle that one photo of several shows: more often shade or a strand of hair (docs/marks.md)."""
    return isinstance(mark, Wrinkle) and mark.action == "keep" and mark.is_flagged and len(sitter_map.photos) > 1


def _carried(
    result: Image,
    mark: Mark,
    canvas: Canvas,
    places: Mapping[str, NDArray[np.float64]],
    found: FoundMark | None,
) -> tuple[Image, str | None]:
    """The picture with one mark more, or as it was and why."""
    if mark.confidence < canvas.config.marks_confidence and mark.action == "keep":
        return result, "unsure"
    drawing = drawing_of(mark, canvas)
    if isinstance(drawing, str):
        return result, drawing
    level = _level(mark, canvas.config)
    others = [at[len(at) // 2] for name, at in places.items() if name != mark.mark_id]
    wanted = drawing.stamp * np.float32(level if level > 0 else 1)
    shown = presence(drawing.site, wanted, canvas.reach, np.array(others).reshape(-1, 2))
    if found is not None and not shown.is_there:
        shown = Presence(True, 1.0, _middle(found))
    if mark.action != "keep" and shown.is_there:
        return _lessened(result, mark, canvas, shown, level)
    if shown.is_there or level == 0:
        return result, "already there" if shown.is_there else "to be removed"
    if isinstance(mark, PointMark) and canvas.hair.covers(mark, drawing.site.at):
        return result, "in hair"
    # What the skin shows there already counts: together they make the mark.
    rest = float(np.clip(1 - shown.amount, 0.5, 1.25))
    return added(result, drawing.site, wanted * np.float32(rest)), None


def _level(mark: Mark, config: TransferConfig) -> float:
    """Part of the mark that the portrait should show."""
    return config.marks_strength * {"keep": 1.0, "soften": config.marks_soften, "remove": 0.0}[mark.action]


def _lessened(result: Image, mark: Mark, canvas: Canvas, shown: Presence, level: float) -> tuple[Image, str]:
    """A mark that the portrait shows, painted out as far as the sitter wants."""
    amount = shown.amount * (level if level > 0 else 1)
    if amount <= (1 + level) / 2 and mark.action == "soften":
        return result, "already there"
    there = drawing_of(mark, canvas, np.array(shown.at))
    if not isinstance(there, Drawing):
        return result, there
    share = 1 - level / max(amount, level, 1e-6)
    return painted_out(result, there.site, there.stamp, share), "removed" if level == 0 else "softened"


def _middle(found: FoundMark) -> tuple[float, float]:
    x, y = found.points[len(found.points) // 2]
    return float(x), float(y)
