"""A student that learns from RUN/pairs: checkpoints and sheets in RUN/student."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.cli.flags import add_flags, given
from portraitist.progress import Report
from portraitist.stylize.student.config import StudentConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--sheet-every", type=int, default=500, help="steps between sheets and checkpoints")
    parser.add_argument("--drawings", type=Path, help="prepared domain (.npz) that the critic takes for real")
    parser.add_argument("--begin", type=Path, help="folder of another run of the same tier to begin with, RUN/student")
    parser.add_argument("--minutes", type=float, help="stop after this time, at the next checkpoint")
    add_flags(parser, StudentConfig, "student")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Up to --steps, going on from the newest checkpoint."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.pairs import PairFolder
    from portraitist.stylize.student.training import train_student
    from recipes.painters.trunk import perceptual_features

    config = given(asked, StudentConfig)
    features = perceptual_features() if config.perceptual else None
    drawings = None if asked.drawings is None else load_domain(asked.drawings)
    limits = {"every": asked.sheet_every, "minutes": asked.minutes, "begin": asked.begin}
    pairs, folder = PairFolder.open(asked.run / "pairs"), asked.run / "student"
    train_student(pairs, folder, config, features, drawings=drawings, **limits, report=report)
