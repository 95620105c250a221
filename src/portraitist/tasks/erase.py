"""`erase`: everything of one person leaves the library, with a log of what was removed.

Kill-safe: the list of what must go is written first, and every erase (and the next one after a kill) works it off;
the sitter's own record goes last, so a person who is half erased is still in the library and can be erased again.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraitist.errors import ConfigError, InputError
from portraitist.library import Library, Sitter, read_json, write_json
from portraitist.provenance import read_recipe

_PLAN = "erase-in-work.json"


def what_would_go(library: Library, name: str) -> list[Path]:
    """Every file that `erase` would remove. Raises InputError when the sitter is unknown."""
    sitter = library.sitter(name)
    own = [path for path in sitter.folder.rglob("*") if path.is_file() or path.is_symlink()]
    return sorted({*own, *_portraits_with(library, sitter), *_caches(library)})


def erase(library: Library, name: str) -> dict[str, Any]:
    """Remove the album, every portrait made from this person (other sitters' folders too), and all caches.

    Returns the log: name, when, removed (paths below the library, never the person's file names outside it). Original
    photos outside the library are not touched. Raises InputError when the sitter is unknown.
    """
    finish_interrupted(library)
    paths = what_would_go(library, name)
    plan = {"folder": str(library.sitter(name).folder.relative_to(library.root)), "paths": _relative(library, paths)}
    write_json(library.root / _PLAN, plan)
    _carry_out(library, plan)
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"name": name, "when": when, "removed": plan["paths"]}


def finish_interrupted(library: Library) -> bool:
    """Finish an erase that was killed; True when there was one."""
    if not (library.root / _PLAN).is_file():
        return False
    _carry_out(library, read_json(library.root / _PLAN))
    return True


def _portraits_with(library: Library, sitter: Sitter) -> set[Path]:
    """Pictures and recipes, in any folder, that this person's photos went into."""
    found: set[Path] = set()
    for recipe_path in library.sitters_dir.glob("*/portraits/**/*.json"):
        try:
            recipe = read_recipe(recipe_path)
        except (ConfigError, InputError):
            continue
        if sitter.name in recipe.sitters or any(entry.sitter == sitter.name for entry in recipe.inputs):
            # The picture may carry any of our suffixes, and an ID photo has its print sheet beside it.
            stems = recipe_path.stem, f"{recipe_path.stem}-sheet"
            found |= {p for p in recipe_path.parent.iterdir() if p.stem in stems and p.is_file()}
    return found


def _caches(library: Library) -> list[Path]:
    """Caches are keyed by photo, not by person, so all of them go: they are made again when needed."""
    return [path for path in library.cache_dir.rglob("*") if path.is_file()]


def _relative(library: Library, paths: Sequence[Path]) -> list[str]:
    return [str(path.relative_to(library.root)) for path in paths]


def _carry_out(library: Library, plan: dict[str, Any]) -> None:
    folder = library.root / plan["folder"]
    record = folder / "sitter.json"
    for relative in plan["paths"]:
        path = library.root / relative
        if path != record:
            path.unlink(missing_ok=True)
    for child in [p for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []:
        shutil.rmtree(child)
    record.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    (library.root / _PLAN).unlink(missing_ok=True)
