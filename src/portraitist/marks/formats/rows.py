"""Rows of an annotation file, read one by one: what is wrong with a row is noted, and the next one is read.

Brackets and commas between rows are stepped over, so JSON Lines, one array and a mix of the two are the same thing,
and each row has the number of the line it begins on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedMark, check_inside
from portraitist.types import Points

MAX_UNREADABLE = 1000
"""Places of one file that are no JSON, after which the rest is not read: such a file is something else."""
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_NEXT_ROW = re.compile(r"\n[ \t\r,\[]*\{")
_FARTHEST = 1e7


@dataclass(frozen=True)
class Problem:
    """What was not imported. line: from 1, where the row begins. entry: which part of it, such as `mark 2`."""

    file: str
    line: int
    entry: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" + (f", {self.entry}" if self.entry else "")
        return f"{place}: {self.what}"


@dataclass
class Notes:
    """The problems of the file that is being read; `line` is where its current row begins."""

    file: str
    line: int = 1
    problems: list[Problem] = field(default_factory=list)

    def add(self, entry: str, what: str) -> None:
        """Note a problem in the current row."""
        self.problems.append(Problem(self.file, self.line, entry, what))

    @contextmanager
    def row(self, entry: str) -> Iterator[None]:
        """Note an InputError raised inside, and go on."""
        try:
            yield
        except InputError as error:
            self.add(entry, str(error))


def read_rows(text: str, notes: Notes) -> Iterator[dict[str, Any]]:
    """The JSON objects of a text; `notes.line` says where each begins. What is no object is noted, up to its end."""
    decoder, position, unreadable, line = json.JSONDecoder(), 0, 0, 1
    while True:
        start = _skip(text, position)
        line += text.count("\n", position, start)
        notes.line = line
        if start == len(text):
            return
        try:
            value, end = decoder.raw_decode(text, start)
            reason = "" if isinstance(value, dict) else shown(value)
        except (ValueError, RecursionError) as error:  # RecursionError: brackets nested by the thousand
            value, end, reason = None, start, _reason(error)
        if isinstance(value, dict):
            yield value
        else:
            end, unreadable = _next_row(text, start), unreadable + 1
            _note_unreadable(notes, reason, line + text.count("\n", start, end))
        if unreadable >= MAX_UNREADABLE:
            notes.add(
                "", f"{unreadable} places were no JSON objects; the rest was not read; is this an annotation file?"
            )
            return
        line += text.count("\n", start, end)
        position = end


def list_in(row: Mapping[str, Any], key: str, *, default: bool = False) -> list[Any]:
    """The list under a key; empty when missing and `default`. Raises InputError when it is something else."""
    value = row.get(key, [] if default else None)
    if not isinstance(value, list):
        raise InputError(f"{key}: expected a list, found {shown(value)}; correct it")
    return value


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """The value, when it is a JSON object. Raises InputError otherwise."""
    if not isinstance(value, dict):
        raise InputError(f"{what}: expected a JSON object, found {shown(value)}; correct it")
    return value


def number(value: Any, what: str) -> float:
    """A finite number, not true, not a text. Raises InputError otherwise."""
    # The bound keeps float32 finite and is far beyond any photo; NaN fails it too.
    if type(value) not in (int, float) or not -_FARTHEST <= value <= _FARTHEST:
        raise InputError(
            f"{what}: expected a number, found {shown(value)}; write it without quotes, in pixels or 0 to 1"
        )
    return float(value)


def points_of(value: Any) -> list[tuple[float, float]]:
    """The pairs of a list of [x, y]. Raises InputError when there are none, or one is no pair of numbers."""
    if not isinstance(value, list) or not value:
        raise InputError(f"points: expected a list of [x, y], found {shown(value)}; mark it again")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f"points: expected [x, y], found {shown(pair)}; mark it again")
    return [(number(x, "x"), number(y, "y")) for x, y in value]


def stated_size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """(w, h) from the keys `width` and `height`; None when both are missing. Raises InputError for anything else."""
    width, height = row.get("width"), row.get("height")
    if width is None and height is None:
        return None
    if type(width) is not int or type(height) is not int or not (0 < width <= _FARTHEST and 0 < height <= _FARTHEST):
        found = f"{shown(width)} and {shown(height)}"
        raise InputError(f"width and height: expected whole pixels above 0, found {found}; correct them")
    return width, height


def digest_of(row: Mapping[str, Any]) -> str | None:
    """The text under `sha256`, None when missing. Raises InputError for another type."""
    value = row.get("sha256")
    if value is not None and not isinstance(value, str):
        raise InputError(f"sha256: expected 64 hexadecimal digits, found {shown(value)}; leave it out")
    return value


def add_mark(marks: list[AnnotatedMark], mark: AnnotatedMark, size: tuple[int, int] | None) -> None:
    """Append a mark. Raises InputError when it is outside the picture, or there already."""
    check_inside(mark.points, size)
    for other in marks:
        if other.kind == mark.kind and np.array_equal(other.points, mark.points):
            raise InputError(f"the same {mark.kind} is there already; it was imported once, remove the second")
    marks.append(mark)


def check_some_left(given: int, kept: int) -> None:
    """Raises InputError when marks were given and none could be read: the photo would pass for one without marks."""
    if given and not kept:
        raise InputError(f"none of its {given} marks could be read, so the photo was left out; correct them first")


def plain_points(points: Points) -> list[list[float]]:
    """[x, y] pairs with the fewest digits that read back to the same float32."""
    return [[float(str(x)), float(str(y))] for x, y in points]


def shown(value: Any) -> str:
    """The value in a message: short, and printable whatever it holds."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, int) and abs(value) > _FARTHEST:
        return "a number beyond any photo"
    return ascii(value)[:60] if isinstance(value, str) and not value.isprintable() else repr(value)[:60]


def _skip(text: str, position: int) -> int:
    found = _BETWEEN.match(text, position)
    return found.end() if found else position


def _next_row(text: str, start: int) -> int:
    found = _NEXT_ROW.search(text, start)
    return found.start() if found else len(text)


def _reason(error: ValueError | RecursionError) -> str:
    return "brackets nested too deep" if isinstance(error, RecursionError) else f"none ({str(error)[:80]})"


def _note_unreadable(notes: Notes, reason: str, last: int) -> None:
    until = f" up to line {last}" if last > notes.line else ""
    notes.add("", f"expected a JSON object, found {reason}; it was skipped{until}; export it again, or remove it")
