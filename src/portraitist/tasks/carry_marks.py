"""The marks of each sitter drawn on a finished portrait: once, after every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from portraitist.compose.occlusion import find_occluders
from portraitist.marks.config import TransferConfig
from portraitist.marks.map import MarksMap
from portraitist.marks.transfer import transfer_marks
from portraitist.types import Face, Image

if TYPE_CHECKING:
    from portraitist.tasks.config import FinishConfig
    from portraitist.tasks.sitting import Cast


def carry_marks(
    image: Image, people: Sequence[tuple[Face | None, MarksMap | None]], config: TransferConfig
) -> tuple[Image, list[dict[str, Any] | None]]:
    """The portrait with everybody's marks, and for each person what was drawn and what was not: {"put": ids,
    "skipped": {id: why}}, or None without a face or a map.

    people: the face in pixels of `image`, and the map of whom it shows.
    """
    records: list[dict[str, Any] | None] = []
    for face, known in people:
        if face is None or known is None or config.marks_strength == 0:
            records.append(None)
            continue
        carried = transfer_marks(image, face, known, config, hidden=find_occluders(image, face))
        image = carried.image
        records.append({"put": list(carried.put), "skipped": dict(carried.skipped)})
    return image, records


def map_digests(casts: Sequence[Cast], config: FinishConfig) -> dict[str, str]:
    """sha256 of each sitter's map, as a recipe names it; nothing where no marks are drawn."""
    if config.marks.marks_strength == 0:
        return {}
    return {f"marks of {cast.name}": cast.marks.sha256 for cast in casts if cast.marks is not None}
