"""The recipe's command line: one subcommand a stage. Every stage can be repeated and goes on after a kill.

A stage is a module with `add_arguments(parser)` and `run(asked, report)`; what it needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from portraitist.errors import PortraitistError
from portraitist.progress import Step

STAGES = {
    "prepare": "recipes.painters.stage_prepare",
    "generator": "recipes.painters.stage_generator",
    "translate": "recipes.painters.stage_translate",
    "pairs": "recipes.painters.stage_pairs",
    "render": "recipes.painters.stage_render",
    "student": "recipes.painters.stage_student",
    "export": "recipes.painters.stage_export",
    "sheet": "recipes.painters.stage_sheet",
    "ship": "recipes.painters.stage_ship",
    "generator-file": "recipes.painters.stage_generator_file",
    "transfer": "recipes.painters.stage_transfer",
    "blend": "recipes.painters.stage_blend",
    "samples": "recipes.painters.stage_samples",
    "pick": "recipes.painters.stage_pick",
    "encoder": "recipes.painters.stage_encoder",
    "restyle": "recipes.painters.stage_restyle",
    "directions": "recipes.painters.stage_directions",
    "grid": "recipes.painters.stage_grid",
    "generator-pairs": "recipes.painters.stage_generator_pairs",
    "import-generator": "recipes.painters.stage_import_generator",
}
"""Stages by name. Each module adds its own flags."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage asked for; returns the exit code."""
    asked = parser().parse_args(arguments)
    asked.run = asked.run.expanduser()
    try:
        import_module(STAGES[asked.stage]).run(asked, _report)
    except PortraitistError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of all stages."""
    made = argparse.ArgumentParser(prog="python -m recipes.painters", description="From pictures to painters.")
    stages = made.add_subparsers(dest="stage", required=True)
    for name, module in STAGES.items():
        stage = import_module(module)
        flags = stages.add_parser(name, help=stage.__doc__.splitlines()[0])
        flags.add_argument("--run", type=Path, default=Path("~/runs/painters"), help="folder of the run")
        stage.add_arguments(flags)
    return made


def _report(step: Step) -> None:
    if (step.total and step.done % max(1, step.total // 200) == 0) or step.message.startswith("!"):
        left = "" if step.remaining is None else f", {step.remaining / 60:.0f} min left"
        sys.stdout.write(f"{step.stage} {step.done}/{step.total} {step.message}{left}\n")
        sys.stdout.flush()
