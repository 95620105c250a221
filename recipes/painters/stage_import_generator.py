"""Converted weights of NVIDIA's StyleGAN2 layout as a generator file; convert_pickle.py converts the pickle."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--weights", type=Path, required=True, help="converted .safetensors")
    parser.add_argument("--title", required=True, help="what the generator learned from")
    parser.add_argument("--licence", required=True, help="of the weights")
    parser.add_argument("--attribution", default="", help="whom to name")
    parser.add_argument("--permissive", action="store_true", help="commercial use is allowed; otherwise marked nc")
    parser.add_argument("--out", type=Path, required=True, help="the generator file to write")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the file."""
    from portraitist.stylize.domain import DomainNote
    from portraitist.stylize.generator.generator_file import save_generator
    from portraitist.stylize.generator.import_layout import import_generator

    note = DomainNote(asked.title, asked.licence, asked.attribution, noncommercial=not asked.permissive)
    trained = import_generator(asked.weights, note)
    report(Step("import-generator", message=f"! {save_generator(asked.out, trained)}: {trained.size}"))
