"""The averaged weights of a generator's newest checkpoint as one file: what transfers, blends and restyling take."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--domain", default="omi", help="the prepared domain it learned")
    parser.add_argument("--name", default="generator", help="the run's folder in RUN")
    parser.add_argument("--preset", default="cpu64", help="its size")
    parser.add_argument("--out", type=Path, help="the file (default: RUN/NAME.safetensors)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the file."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.generator.generator_file import Origin, newest_generator, save_generator
    from portraitist.stylize.generator.presets import PRESETS
    from recipes.painters.stage_prepare import domain_path

    size = PRESETS[asked.preset].size
    note = load_domain(domain_path(asked.run, size.side, asked.domain)).note
    trained = newest_generator(asked.run / asked.name, size, Origin((note,)))
    path = save_generator(asked.out or asked.run / f"{asked.name}.safetensors", trained)
    report(Step("generator-file", message=f"! {path}"))
