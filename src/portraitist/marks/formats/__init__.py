"""Annotations in and out: the format of a file is told by its content, never by its name."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage
from portraitist.marks.formats.coco import read_coco
from portraitist.marks.formats.labels import Labels, read_labels
from portraitist.marks.formats.own import FORMAT, read_own, read_own_image
from portraitist.marks.formats.pictures import Pictures
from portraitist.marks.formats.rows import Notes, Problem, read_rows
from portraitist.marks.formats.whale import read_whale

MAX_BYTES = 64_000_000
"""Largest file that is read; parsed, its text takes several times as much memory."""
_LOST = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Imported:
    """What could be read, in the order of the file and each photo once, and what could not."""

    images: tuple[AnnotatedImage, ...]
    problems: tuple[Problem, ...]


def read_annotations(
    path: Path | str, *, labels: Path | str | Mapping[str, Any] | None = None, images: Path | str | None = None
) -> Imported:
    """Read our own JSON, a whale-anno export or COCO keypoints, whichever the file holds.

    labels: which label is which kind, laid over the default table (`labels.py`). images: the folder of the photos; then
    every photo must be in it. Without, photos are looked for in `images` beside the file and beside the file itself,
    and only whale-anno needs them. Sizes are checked against the photos that are there.

    A row or mark that cannot be used is a problem with its line, and everything else is read. Raises InputError only
    when there is nothing to read at all: no such file, larger than `MAX_BYTES`, no such folder, a wrong table.
    """
    path = Path(path)
    table, pictures = read_labels(labels), Pictures.beside(path, Path(images) if images is not None else None)
    notes, found = Notes(path.name), dict[str, AnnotatedImage]()
    for row in read_rows(_text(path, notes), notes):
        with notes.row(""):
            for entry, image in _read(row, notes, pictures, table):
                with notes.row(entry):
                    _add(found, image)
    if not found and not notes.problems:
        notes.add("", "expected annotations, found none; is this the right file?")
    return Imported(tuple(found.values()), tuple(notes.problems))


def _read(row: Mapping[str, Any], notes: Notes, pictures: Pictures, labels: Labels) -> list[tuple[str, AnnotatedImage]]:
    """The images of one object of the file, each with the entry it stands in."""
    if row.get("format") == FORMAT:
        return read_own(row, notes, pictures)
    if "annoDetails" in row or "fileName" in row:
        return [("", read_whale(row, notes, pictures, labels))]
    if "categories" in row and "images" in row:
        return read_coco(row, notes, pictures, labels)
    if "file" in row and "marks" in row:
        # One image of ours: what is whole in a file that was cut off.
        return [("", read_own_image(row, notes, pictures))]
    known = "our own ('format'), whale-anno ('annoDetails') or COCO ('images' and 'categories')"
    keys = ", ".join(ascii(key)[:30] for key in list(row)[:5]) or "no keys"
    raise InputError(f"expected an annotation, {known}, found an object with {keys}; remove it")


def _add(found: dict[str, AnnotatedImage], image: AnnotatedImage) -> None:
    if image.file in found:
        raise InputError(f"{image.file!r} was there before; the first was imported, join the two or remove this one")
    found[image.file] = image


def _text(path: Path, notes: Notes) -> str:
    """The text of a file. Bytes that are no UTF-8 are noted and stay, as lone surrogates, inside their own row."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: expected annotations, cannot read it ({error.strerror}); check the path") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path.name}: expected at most {MAX_BYTES:,} bytes, found more; split it")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    text = data.decode("utf-8-sig", errors="surrogateescape")
    lost = _LOST.search(text)
    if lost:
        notes.line = 1 + text.count("\n", 0, lost.start())
        notes.add(
            "", "expected UTF-8, found other bytes from here on; names and labels in them are lost, save it as UTF-8"
        )
    return text
