"""The marks map: what is known of a sitter's marks, kept in the sitter's folder.

`marks.json` names the file of its patches by what is in it: the patches are written first, the old ones go last, so a
kill at any moment leaves a map with the patches that belong to it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.library import read_json, write_atomic, write_json
from portraitist.marks.anchor import Anchor
from portraitist.marks.mark import Action, Mark, PointMark, Wrinkle
from portraitist.marks.match import PhotoMarks, assign, costs, mark_cost, put_together, wrinkle_cost
from portraitist.marks.mirror import straightened

FORMAT, VERSION = "portraitist-marks-map", 1
FILE = "marks.json"
"""Of a map, in the sitter's marks folder."""
_M = TypeVar("_M", PointMark, Wrinkle)


@dataclass(frozen=True, eq=False)
class MarksMap:
    """A sitter's marks. photos, mirrored: sha256 of the photos looked at, and of those found to be mirrored. sha256: of
    the file it was read from, empty before it was written."""

    marks: tuple[PointMark, ...] = ()
    wrinkles: tuple[Wrinkle, ...] = ()
    photos: tuple[str, ...] = ()
    mirrored: tuple[str, ...] = ()
    sha256: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        ids = [mark.mark_id for mark in self.all]
        if len(set(ids)) < len(ids):
            raise InputError(f"marks map: expected each id once, found {len(ids) - len(set(ids))} again; map anew")

    @property
    def all(self) -> tuple[Mark, ...]:
        """Marks, then wrinkles."""
        return (*self.marks, *self.wrinkles)

    def with_action(self, mark_id: str, action: Action) -> MarksMap:
        """The map with one mark switched. Raises InputError, naming the marks there are, when the id is unknown."""
        if mark_id not in {mark.mark_id for mark in self.all}:
            known = ", ".join(mark.mark_id for mark in self.all) or "none"
            raise InputError(f"mark '{mark_id}': not in the map (it has: {known}); choose one of these")
        marks = tuple(replace(m, action=action) if m.mark_id == mark_id else m for m in self.marks)
        wrinkles = tuple(replace(w, action=action) if w.mark_id == mark_id else w for w in self.wrinkles)
        return replace(self, marks=marks, wrinkles=wrinkles)


def map_of(photos: Sequence[PhotoMarks], before: MarksMap = MarksMap()) -> MarksMap:
    """The map of these photos. A mark that `before` has keeps its id and what the person chose for it.

    Raises InputError when a photo is given twice.
    """
    straight, mirrored = straightened(photos)
    marks, wrinkles = put_together(straight)
    points = _inherit(before.marks, marks, costs(before.marks, marks, mark_cost))
    lines = _inherit(before.wrinkles, wrinkles, costs(before.wrinkles, wrinkles, wrinkle_cost))
    return MarksMap(points, lines, tuple(sorted(photo.digest for photo in photos)), mirrored)


def write_map(found: MarksMap, folder: Path) -> Path:
    """Write the map into the sitter's `marks_dir`; returns the path of its JSON. Raises ValueError on NaN."""
    data = _packed(found)
    name = f"patches-{hashlib.sha256(data).hexdigest()[:12]}.npz" if data else None
    if name:
        write_atomic(folder / name, data)
    record = {"format": FORMAT, "version": VERSION, "patches": name, "photos": found.photos}
    written = [{k: v for k, v in asdict(mark).items() if k != "patch"} for mark in found.marks]
    lines = [asdict(wrinkle) for wrinkle in found.wrinkles]
    path = write_json(folder / FILE, {**record, "mirrored": found.mirrored, "marks": written, "wrinkles": lines})
    for old in folder.glob("patches-*.npz"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return path


def known_map(folder: Path) -> MarksMap | None:
    """The map in the sitter's `marks_dir`, None where none was made. Raises as `read_map` does."""
    return read_map(folder) if (folder / FILE).exists() else None


def read_map(folder: Path) -> MarksMap:
    """The map in the sitter's `marks_dir`.

    Raises InputError when there is none, when it is of another version, or when it is not such a map.
    """
    path = folder / FILE
    record = read_json(path)
    if not isinstance(record, Mapping) or record.get("format") != FORMAT:
        raise InputError(f"{path}: expected a marks map, found something else; remove it and map the marks again")
    if record.get("version") != VERSION:
        raise InputError(
            f"{path}: expected version {VERSION}, found {record.get('version')!r}; use the program version that wrote "
            "it, or remove the file and map the marks of the album again"
        )
    try:
        patches = _unpacked(folder / record["patches"]) if record["patches"] else {}
        marks = tuple(_point(entry, patches) for entry in record["marks"])
        wrinkles = tuple(_wrinkle(entry) for entry in record["wrinkles"])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return MarksMap(marks, wrinkles, tuple(record["photos"]), tuple(record["mirrored"]), digest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: expected a whole marks map, found {error!r}; map the marks again") from error


def _inherit(old: Sequence[_M], new: Sequence[_M], apart: NDArray[np.float64]) -> tuple[_M, ...]:
    """The new marks; one that is an old one has its id and action, and no two have one id."""
    pairs = {column: old[row] for row, column in assign(apart)}
    taken = {mark.mark_id for mark in pairs.values()}
    named: list[_M] = []
    for index, mark in enumerate(new):
        before = pairs.get(index)
        name = before.mark_id if before else _free(mark.mark_id, taken)
        taken.add(name)
        named.append(replace(mark, mark_id=name, action=before.action if before else mark.action))
    return tuple(named)


def _free(name: str, taken: set[str]) -> str:
    """The name, or with the first number from 2 that makes it new."""
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _packed(found: MarksMap) -> bytes:
    """The patches as an .npz, one array an id; nothing when no mark has one."""
    patches = {mark.mark_id: mark.patch for mark in found.marks if mark.patch is not None}
    if not patches:
        return b""
    out = io.BytesIO()
    np.savez_compressed(out, **patches)  # type: ignore[arg-type]
    return out.getvalue()


def _unpacked(path: Path) -> dict[str, NDArray[np.uint8]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(f"{path}: expected the patches of the map, found {error}; map the marks again") from error


def _point(entry: Mapping[str, Any], patches: Mapping[str, NDArray[np.uint8]]) -> PointMark:
    known = {field.name: entry[field.name] for field in fields(PointMark) if field.name != "patch"}
    colour, seen = tuple(entry["colour_offset"]), tuple(entry["seen_in"])
    read = {"anchor": _anchor(entry["anchor"]), "colour_offset": colour, "seen_in": seen, "skin": _skin(entry)}
    mark = PointMark(**{**known, **read})
    return replace(mark, patch=patches.get(mark.mark_id))


def _wrinkle(entry: Mapping[str, Any]) -> Wrinkle:
    known = {field.name: entry[field.name] for field in fields(Wrinkle)}
    lists = {name: tuple(entry[name]) for name in ("width_mm", "depth", "seen_in")}
    return Wrinkle(**{**known, **lists, "anchors": tuple(map(_anchor, entry["anchors"])), "skin": _skin(entry)})


def _skin(entry: Mapping[str, Any]) -> tuple[float, float, float] | None:
    if entry["skin"] is None:
        return None
    lightness, red, yellow = map(float, entry["skin"])
    return lightness, red, yellow


def _anchor(entry: Mapping[str, Any]) -> Anchor:
    first, second, third = entry["weights"]
    return Anchor(entry["triangle"], (float(first), float(second), float(third)))
