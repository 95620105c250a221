"""Which engines there are for each task: one literal table and one entry-point group, imported only when asked for.

An engine is built by `build(config, placement, *, report)` and called as `engine(item, *, seed)`; it yields results.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

from portraitist.errors import EngineError
from portraitist.placement import Placement
from portraitist.progress import Report, silent

GROUP = "portraitist.engines"
"""Entry-point group of other packages; an entry is called `task.name` and points to `module:build`."""

TASKS: dict[str, dict[str, str]] = {
    "shoot": {
        "compose": "portraitist.compose.engine:build",
    },
    "marks": {
        "classical": "portraitist.marks.classical:build",
        "network": "portraitist.marks.network:build",
    },
    "paint": {
        "painter": "portraitist.stylize.engine:build",
        "pencil": "portraitist.stylize.pencil:build",
    },
}


def engines(task: str) -> dict[str, str]:
    """Name -> "module:build" for the task: the built-in rows, then installed entry points.

    Raises EngineError when the task is unknown or when two packages claim the same name.
    """
    if task not in TASKS:
        raise EngineError(f"task '{task}': unknown; known are {', '.join(TASKS)}")
    rows = dict(TASKS[task])
    for entry in importlib.metadata.entry_points(group=GROUP):
        owner, _, name = entry.name.partition(".")
        if owner != task:
            continue
        if name in rows and rows[name] != entry.value:
            raise EngineError(
                f"engine '{name}' of task '{task}' is claimed by {rows[name]} and {entry.value}; uninstall one"
            )
        rows[name] = entry.value
    return rows


def builder(task: str, name: str) -> Callable[..., Any]:
    """The `build` function of an engine. Raises EngineError when it is unknown or what it needs is not installed."""
    rows = engines(task)
    if name not in rows:
        raise EngineError(f"engine '{name}': unknown for task '{task}'; known are {', '.join(rows)}")
    module, _, attribute = rows[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
    except ImportError as error:
        raise EngineError(f"engine '{name}' lacks a package ({error}); install its extra") from error


def build(task: str, name: str, config: Any, placement: Placement, report: Report = silent) -> Any:
    """Build the engine `name` of `task`."""
    return builder(task, name)(config, placement, report=report)
