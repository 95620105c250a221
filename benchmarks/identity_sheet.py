"""The contact sheet of one album: its photos, then the pictures of every row with their distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.identity_albums import Seat
from benchmarks.identity_measures import head
from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import largest_face
from portraitist.image import encode_image
from portraitist.library import write_atomic
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.types import Face, Image, Reference

COLUMNS, CELL = 6, 190
TITLES = {
    "a": "a: base, bare caption",
    "b": "b: LoRA, in words",
    "c": "c: in a template",
    "d": "d: compose alone",
    "e": "e: (c) with the ring",
}


def write_sheet(path: Path, seated: Seat, rows: Mapping[str, Sequence[tuple[Image, Mapping[str, Any]]]]) -> Path:
    """PNG of photos learned from, photos reported on, and the rows."""
    reader = FaceReader.load(Placement())
    tiles = _photos("learned", seated.learned) + _photos("report", seated.report)
    for row, pictures in rows.items():
        # Text portraits come framed as they are; a template is shown around its face.
        framed = [image if row in ("a", "b") else head(image, largest_face(image, reader)) for image, _ in pictures]
        said = [f"{TITLES[row]}\n{_facts(measures)}" for _, measures in pictures]
        tiles += _filled([(enlarged(image), text) for image, text in zip(framed, said, strict=True)])
    images, captions = zip(*tiles, strict=True)
    sheet = contact_sheet(images, captions, columns=COLUMNS, cell=(CELL, CELL))
    return write_atomic(path, encode_image(sheet, "png"))


def _photos(title: str, photos: Sequence[Reference]) -> list[tuple[Image, str]]:
    shown: list[tuple[Image, str]] = []
    for photo in photos[:COLUMNS]:
        image = photo.picture.pixels(1024)
        face: Face = photo.face.scaled(image.shape[1] / photo.picture.size[1])
        shown.append((enlarged(head(image, face)), f"{title}\n{photo.picture.digest[:8]}"))
    return _filled(shown)


def _facts(measures: Mapping[str, Any]) -> str:
    if measures["distance"] is None:
        return "not measurable" if measures["pixels"] is not None else "no face"
    return f"{measures['distance']:.2f}, pixels {measures['pixels']:.2f}"


def enlarged(image: Image) -> Image:
    """At least as large as a cell, so that small pictures can be seen."""
    factor = CELL / max(image.shape[:2])
    if factor <= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)


def _filled(tiles: list[tuple[Image, str]]) -> list[tuple[Image, str]]:
    """Up to the end of the line with empty cells."""
    empty = np.full((8, 8, 3), 250, np.uint8)
    return tiles + [(empty, "\n")] * (-len(tiles) % COLUMNS)
