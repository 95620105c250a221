"""`portraitist doctor`: is everything here that a portrait needs?"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.shared import add_json, open_library, say_json, table

if TYPE_CHECKING:
    from portraitist.library import Library


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("doctor", help="check this installation")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Print the checks; 1 when one fails."""
    library = open_library(parsed)
    checks = [_python(), *_packages(), *_engines(), _weights(), _marked(library), _folder("library", library.root)]
    if parsed.json:
        say_json([{"check": name, "passed": passed, "found": found} for name, passed, found in checks])
    else:
        table(("check", "", "found"), [(name, "ok" if passed else "FAILS", found) for name, passed, found in checks])
    return 0 if all(passed for _, passed, _ in checks) else 1


Check = tuple[str, bool, str]


def _python() -> Check:
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return "python", sys.version_info >= (3, 11), f"{platform.python_version()} on {where}"


def _packages() -> list[Check]:
    import importlib

    from portraitist.networks import import_ncnn

    checks = []
    for module in ("numpy", "scipy", "cv2", "PIL", "pi_heif", "ai_edge_litert", "_dlib_pybind11", "ncnn", "av"):
        try:
            loaded = import_ncnn() if module == "ncnn" else importlib.import_module(module)
            checks.append((module, True, str(getattr(loaded, "__version__", "installed"))))
        except ImportError as error:
            checks.append((module, False, f"{error}; install portraitist again"))
    return checks


def _engines() -> list[Check]:
    from portraitist import registry
    from portraitist.errors import EngineError

    checks = []
    for task in registry.TASKS:
        for name in registry.engines(task):
            try:
                registry.builder(task, name)
                checks.append((f"engine {task}/{name}", True, "importable"))
            except EngineError as error:
                checks.append((f"engine {task}/{name}", False, str(error)))
    return checks


def _weights() -> Check:
    from portraitist import weights

    here = [name for name in weights.TABLE if weights.local_path(name)]
    broken = [name for name in here if not weights.verify(name)]
    missing = len(weights.TABLE) - len(here)
    if broken:
        return "weights", False, f"changed: {', '.join(broken)}; remove them from {weights.cache_dir()}"
    return "weights", True, f"{len(here)} intact, {missing} downloaded when first needed ({weights.cache_dir()})"


def _marked(library: Library) -> Check:
    """Weights not for commercial use: nothing fails without them, so this check passes either way."""
    from portraitist import weights

    names = ", ".join(row.name for row in weights.TABLE.values() if row.noncommercial)
    state = "accepted" if library.accepts_noncommercial else "not accepted ('portraitist weights accept-nc')"
    return "weights marked nc", True, f"{names}: {state}"


def _folder(name: str, folder: Path) -> Check:
    near = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(near).free / 1e9
    return name, os.access(near, os.W_OK), f"{folder}, {free:.0f} GB free"
