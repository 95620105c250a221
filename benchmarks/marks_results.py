"""Results one face a file, so that a stopped run goes on, and the tables made of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from portraitist.library import read_json, write_json

Record = dict[str, Any]


def results(folder: Path, names: Iterable[str], make: Callable[[str], Record]) -> list[Record]:
    """The record of each name: read where FOLDER has it, else made and written."""
    records = []
    for name in names:
        path = folder / f"{name}.json"
        if not path.exists():
            sys.stderr.write(f"{folder.name}: {name} ...\n")
            write_json(path, make(name))
        records.append(read_json(path))
    return records


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown.

    >>> table(["a", "b"], [["1", "2"]])
    '| a | b |\\n|---|---|\\n| 1 | 2 |\\n'
    """
    lines = [head, ["---"] * len(head), *rows]
    return "".join("|" + "|".join(f" {cell} " if cell != "---" else cell for cell in line) + "|\n" for line in lines)


def percent(value: float | None, places: int = 1) -> str:
    """
    >>> percent(0.905), percent(None)
    ('90.5 %', '-')
    """
    return "-" if value is None else f"{100 * value:.{places}f} %"


def number(value: float | None, places: int = 2) -> str:
    """
    >>> number(1.234), number(None)
    ('1.23', '-')
    """
    return "-" if value is None else f"{value:.{places}f}"
