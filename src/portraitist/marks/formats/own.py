"""Our own annotations, `*.marks.json`: every field of `AnnotatedImage`, in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from portraitist.errors import InputError
from portraitist.library import write_json
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark, check_inside, checked_file
from portraitist.marks.formats.pictures import Pictures, Size
from portraitist.marks.formats.rows import (
    Notes,
    add_mark,
    check_some_left,
    digest_of,
    list_in,
    mapping,
    number,
    plain_points,
    points_of,
    shown,
    stated_size,
)
from portraitist.types import Points

FORMAT, VERSION = "portraitist-marks", 1


def write_own(path: Path, images: Sequence[AnnotatedImage]) -> Path:
    """Write annotations; nothing is lost. Atomic. Raises InputError when a photo is there twice."""
    check_once(images)
    return write_json(path, {"format": FORMAT, "version": VERSION, "images": [plain_image(image) for image in images]})


def read_own(document: Mapping[str, Any], notes: Notes, pictures: Pictures) -> list[tuple[str, AnnotatedImage]]:
    """The images of a document, each with its entry (`image 3`); what cannot be read is noted.

    Raises InputError for another version.
    """
    if document.get("version") != VERSION:
        found = shown(document.get("version"))
        raise InputError(f"version: expected {VERSION}, found {found}; use the program that wrote it, or a newer one")
    images: list[tuple[str, AnnotatedImage]] = []
    for place, row in enumerate(list_in(document, "images"), 1):
        entry = f"image {place}"
        with notes.row(entry):
            images.append((entry, read_own_image(mapping(row, entry), notes, pictures, f"{entry}, ")))
    return images


def read_own_image(row: Mapping[str, Any], notes: Notes, pictures: Pictures, prefix: str = "") -> AnnotatedImage:
    """One image; its bad marks are noted under `prefix`. Raises InputError when the image cannot be used at all."""
    file = checked_file(row.get("file"))
    size = pictures.size(file, stated_size(row))
    given, marks = list_in(row, "marks"), list[AnnotatedMark]()
    for place, mark in enumerate(given, 1):
        with notes.row(f"{prefix}mark {place}"):
            add_mark(marks, _mark(mapping(mark, "mark")), size)
    check_some_left(len(given), len(marks))
    crowded: list[Points] = []
    for place, polygon in enumerate(list_in(row, "crowded", default=True), 1):
        with notes.row(f"{prefix}crowded {place}"):
            crowded.append(polygon_of(points_of(polygon), size))
    return AnnotatedImage(file, size, digest_of(row), tuple(marks), tuple(crowded))


def polygon_of(pairs: Sequence[tuple[float, float]], size: Size | None) -> Points:
    """A crowded region, (n, 2). Raises InputError for fewer than three points, or one outside the picture."""
    polygon = np.array(pairs, np.float32)
    if len(polygon) < 3:
        raise InputError(f"crowded: expected three or more points around it, found {len(polygon)}; draw it again")
    check_inside(polygon, size)
    return polygon


def check_once(images: Sequence[AnnotatedImage]) -> None:
    """Raises InputError when two entries are about the same file."""
    files = [image.file for image in images]
    twice = sorted({file for file in files if files.count(file) > 1}) if len(set(files)) < len(files) else []
    if twice:
        raise InputError(f"{twice[0]!r}: expected one entry a photo, found more; join their marks first")


def read_diameter(row: Mapping[str, Any]) -> float | None:
    """Pixels under `diameter`, None when missing. Raises InputError for what is no number."""
    return None if row.get("diameter") is None else number(row["diameter"], "diameter")


def _mark(row: Mapping[str, Any]) -> AnnotatedMark:
    is_sure = row.get("sure", True)
    if not isinstance(is_sure, bool):
        raise InputError(f"sure: expected true or false, found {shown(is_sure)}; correct it")
    points = np.array(points_of(row.get("points")), np.float32)
    kind = row.get("kind")
    # A kind that is a list or an object is refused as an unknown one is.
    return AnnotatedMark(kind if isinstance(kind, str) else shown(kind), points, read_diameter(row), is_sure)  # type: ignore[arg-type]


def plain_image(image: AnnotatedImage) -> dict[str, Any]:
    """An image as it stands in the file: what is unknown has no key."""
    width, height = image.size or (None, None)
    facts = {"file": image.file, "sha256": image.sha256, "width": width, "height": height}
    known = {key: value for key, value in facts.items() if value is not None}
    marks = [_plain_mark(mark) for mark in image.marks]
    return known | {"marks": marks, "crowded": [plain_points(polygon) for polygon in image.crowded]}


def _plain_mark(mark: AnnotatedMark) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": mark.kind, "points": plain_points(mark.points)}
    if mark.diameter is not None:
        plain["diameter"] = float(mark.diameter)
    return plain | {"sure": mark.is_sure}
