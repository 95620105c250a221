"""A painter of RUN/painters into weights/painters: its card with what was measured and where it fails, its digests."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from portraitist.errors import InputError
from portraitist.progress import Report, Step

WEIGHTS = Path(__file__).parents[2] / "weights" / "painters"
RECIPES = Path(__file__).parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument(
        "--name", required=True, help="of the painter in RUN/painters; words in recipes/painters/NAME/README.md"
    )
    parser.add_argument("--figures", type=Path, required=True, help="what 'benchmarks.stylize --json' wrote of it")
    parser.add_argument("--to", type=Path, default=WEIGHTS, help="folder of shipped painters")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the folder anew and say what its row in the table of weights is."""
    from portraitist.downloads import sha256_of
    from portraitist.stylize.painter_file import CARD, NETWORK, README, read_painter, write_painter
    from portraitist.weight_folders import LIST, write_list

    made, words = read_painter(asked.run / "painters" / asked.name), RECIPES / asked.name / "README.md"
    if not words.is_file():
        raise InputError(f"{words}: expected what the painter is good at and where it fails, found nothing; write it")
    measured = json.loads(asked.figures.read_text())[asked.name]
    card = replace(made.card, figures={**made.card.figures, **short_figures(measured)})
    readme = "\n\n".join([(made.folder / README).read_text().strip(), words.read_text().strip(), tables(measured)])
    target = asked.to / asked.name
    shutil.rmtree(target, ignore_errors=True)
    written = write_painter(target, made.network.read_bytes(), card, readme + "\n")
    listed = write_list(target, [target / name for name in (NETWORK, CARD, README)])
    size, licence = sum(file.size for file in listed), written.card.licence
    row = f"painter-{asked.name}: {sha256_of(target / LIST)}, {size} bytes, {licence}"
    report(Step("ship", message=f"! {row}{', nc' if written.card.noncommercial else ''}"))


def short_figures(measured: dict[str, Any]) -> dict[str, float]:
    """Single numbers of the benchmark, under their names."""
    parts = [*measured.get("speed", {}).items(), *measured.get("style", {}).items()]
    parts += [("privacy, part hidden", measured.get("privacy", {}).get("distance over 0.7"))]
    return {name: value for name, value in parts if isinstance(value, int | float)}


def tables(measured: dict[str, Any]) -> str:
    """What the benchmark printed, part by part."""
    head = '## Measured on judge faces\n\nGroups as in docs/stylize.md, "What is measured".\n'
    return "\n".join([head, *("\n".join(lines) + "\n" for lines in measured["printed"].values())]).strip()
