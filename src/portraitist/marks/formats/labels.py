"""Which label of another tool is which kind of mark: a table that the user's own is laid over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from portraitist.errors import InputError
from portraitist.marks.formats.rows import shown
from portraitist.marks.kinds import KINDS, MarkKind

Labels = Mapping[str, MarkKind | None]
"""Label to kind; None: a label that is no mark, left out without a word."""
DEFAULT_LABELS: Labels = {
    **{kind: kind for kind in KINDS},
    "痣": "mole",
    "斑": "spot",
    "痘": "pimple",
    "疤": "scar",
    "皱纹": "wrinkle",
}
_MAX_BYTES = 100_000


def read_labels(labels: Path | str | Mapping[str, Any] | None) -> Labels:
    """The default table with the user's laid over it: a mapping, or a YAML or JSON file of one.

    Raises InputError, naming the label, when a value is neither a kind nor null, and for a file that is no mapping.
    """
    if labels is None:
        return DEFAULT_LABELS
    where = "labels" if isinstance(labels, Mapping) else Path(labels).name
    table = labels if isinstance(labels, Mapping) else _table(Path(labels))
    for label, kind in table.items():
        if not isinstance(label, str) or (kind is not None and kind not in KINDS):
            wanted = f"one of {', '.join(KINDS)}, or null for what is no mark"
            raise InputError(f"{where}: {shown(label)}: expected {wanted}, found {shown(kind)}; correct the table")
    return {**DEFAULT_LABELS, **table}


def kind_of(label: Any, labels: Labels) -> MarkKind | None:
    """The kind of a label, None for one to leave out. Raises InputError for a label that is not in the table."""
    if not isinstance(label, str) or label.strip() not in labels:
        known = ", ".join(labels)
        raise InputError(f"label: expected one of {known}, found {shown(label)}; add it to the table of labels")
    return labels[label.strip()]


def _table(path: Path) -> Mapping[Any, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        table = yaml.safe_load(data.decode("utf-8-sig")) if len(data) <= _MAX_BYTES else None
    except OSError as error:
        raise InputError(
            f"{path}: expected a table of labels, cannot read it ({error.strerror}); check the path"
        ) from error
    # TypeError: a key that is itself a list. RecursionError: brackets nested by the thousand.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path.name}: expected YAML or JSON in UTF-8, found something else; correct it") from error
    if not isinstance(table, Mapping):
        raise InputError(f"{path.name}: expected labels with kinds, such as 'freckle: spot', found {shown(table)}")
    return table
