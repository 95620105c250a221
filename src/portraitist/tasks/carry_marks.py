"""The marks of each sitter drawn on a finished portrait: once, after every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portraitist.compose.occlusion import find_occluders
from portraitist.marks.config import DETECTOR, TransferConfig
from portraitist.marks.detectors import load_detector
from portraitist.marks.found import FoundMark
from portraitist.marks.map import MarksMap
from portraitist.marks.transfer import Transferred, transfer_marks
from portraitist.marks.verify import Verdict, check_marks
from portraitist.marks.view import skin_view
from portraitist.tasks.find_marks import marks_in
from portraitist.types import Face, Image, Mask

if TYPE_CHECKING:
    from portraitist.tasks.config import FinishConfig
    from portraitist.tasks.sitting import Cast


def carry_marks(
    image: Image, people: Sequence[tuple[Face | None, MarksMap | None]], config: TransferConfig
) -> tuple[Image, list[dict[str, Any] | None]]:
    """The portrait with everybody's marks, and for each person what was drawn and what was not: {"put": ids,
    "skipped": {id: why}}, with the `score` of `check_marks` where it counts for the order; None without a face or map.

    people: the face in pixels of `image`, and the map of whom it shows.
    """
    records: list[dict[str, Any] | None] = []
    for face, known in people:
        if face is None or known is None or config.marks_strength == 0:
            records.append(None)
            continue
        hidden = find_occluders(image, face)
        carried = _carried(image, face, known, config, hidden)
        image = carried.image
        record = {"put": list(carried.put), "skipped": dict(carried.skipped)}
        score = {"score": round(judged(image, face, known, hidden).score, 4)} if config.marks_rank > 0 else {}
        records.append({**record, **score})
    return image, records


def _carried(image: Image, face: Face, known: MarksMap, config: TransferConfig, hidden: Mask) -> Transferred:
    """The portrait with the marks of one person.

    A detector is asked only where something would be drawn: it sees copies that an engine moved or changed too much to
    be known by their look, and takes as long as all the rest.
    """
    carried = transfer_marks(image, face, known, config, hidden=hidden)
    if not carried.put:
        return carried
    return transfer_marks(image, face, known, config, present=_found(image, face, hidden), hidden=hidden)


def _found(image: Image, face: Face, hidden: Mask) -> list[FoundMark]:
    view = skin_view(image, face, hidden=hidden)
    return [mark.in_photo(view) for mark in load_detector(DETECTOR)(view)]


def judged(image: Image, face: Face, known: MarksMap, hidden: Mask, detector: str = DETECTOR) -> Verdict:
    """The map's marks looked for in a portrait. hidden: (h, w), 1 where something covers the face."""
    points, wrinkles = marks_in(image, face, load_detector(detector), hidden)
    return check_marks(face, [*points, *wrinkles], known, (image.shape[0], image.shape[1]), hidden=hidden)


def map_digests(casts: Sequence[Cast], config: FinishConfig) -> dict[str, str]:
    """sha256 of each sitter's map, as a recipe names it; nothing where no marks are drawn."""
    if config.marks.marks_strength == 0:
        return {}
    return {f"marks of {cast.name}": cast.marks.sha256 for cast in casts if cast.marks is not None}


def as_then(cast: Cast, weights: Mapping[str, str]) -> Cast:
    """The sitter for a replay of a recipe with these `weights`: without the map when it was made later."""
    return cast if f"marks of {cast.name}" in weights else replace(cast, marks=None)
