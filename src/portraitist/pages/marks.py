"""The page of a sitter's marks: where each is on their face, and a switch for each that writes the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from portraitist.pages.html import picture, render
from portraitist.types import Image


@dataclass(frozen=True, eq=False)
class MarkRow:
    """One mark. line: (n, 2) pixels of the face picture, empty where it does not show the mark. radius: of its circle,
    pixels. patch: (h, w, 4) RGBA, or None."""

    mark_id: str
    kind: str
    mm: float
    confidence: float
    photos: int
    action: str
    note: str
    line: NDArray[np.floating]
    radius: float
    patch: NDArray[np.uint8] | None = None


def marks_page(name: str, face: Image, rows: Sequence[MarkRow], photos: int) -> str:
    """The page as HTML, complete in itself. face: (side, side, 3). photos: how many were looked at."""
    shown = [
        {
            "number": number,
            "mark_id": row.mark_id,
            "kind": row.kind,
            "mm": row.mm,
            "confidence": row.confidence,
            "photos": row.photos,
            "action": row.action,
            "note": row.note,
            "line": np.round(row.line, 1).tolist(),
            "radius": round(max(6.0, row.radius), 1),
            "patch": _on_grey(row.patch),
        }
        for number, row in enumerate(rows, 1)
    ]
    side = face.shape[0]
    return render("marks.html", name=name, face=picture(face, name, side), side=side, rows=shown, photos=photos)


def _on_grey(patch: NDArray[np.uint8] | None) -> Markup | None:
    """The mark on a plain ground."""
    if patch is None:
        return None
    share = patch[..., 3:].astype(np.float32) / 255
    return picture(np.round(patch[..., :3] * share + 205 * (1 - share)).astype(np.uint8))
