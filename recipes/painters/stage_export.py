"""The painter RUN/painter-NAME from RUN/student, and RUN/formats with every file, its size, parity and time."""

from __future__ import annotations

import argparse

from portraitist.cli.flags import given
from portraitist.progress import Report, Step
from portraitist.stylize.student.config import TIERS, StudentConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--name", required=True, help="of the painter")
    parser.add_argument("--title", help="what people read (default: the name)")
    parser.add_argument(
        "--lift", type=float, help="L* that the painter lifts darker faces to (default: as the pairs were); 0: none"
    )
    parser.add_argument("--tier", choices=tuple(TIERS), default=argparse.SUPPRESS, help="of the student")
    parser.add_argument("--has-mask", action="store_true", default=argparse.SUPPRESS, help="the student has a mask")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write and measure. Times mean something only on a machine that does nothing else."""
    from portraitist.library import write_json
    from portraitist.stylize.pairs import PairFolder
    from portraitist.stylize.student.export_all import export_all
    from portraitist.stylize.student.package import package_student
    from portraitist.stylize.student.trainee import trained_student

    pairs, config = PairFolder.open(asked.run / "pairs"), given(asked, StudentConfig)
    network = trained_student(asked.run / "student", config)
    figures = export_all(network, pairs, asked.run / "formats", report)
    write_json(asked.run / "formats" / "figures.json", figures)
    short = {"grid": figures["grid"], **{f"{k} {f}": v for k, row in figures["files"].items() for f, v in row.items()}}
    title = asked.title or asked.name
    folder = asked.run / "painters" / asked.name
    painter = package_student(network, pairs, folder, title=title, tier=config.tier, figures=short, lift=asked.lift)
    report(Step("export", message=f"! {painter.folder}: {painter.network.stat().st_size:,} bytes"))
