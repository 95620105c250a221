"""A translator from photos to a style, without pairs: checkpoints, watch.jsonl and sheets in RUN/translate."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags
from portraitist.progress import Report
from portraitist.stylize.translate.config import PRESETS, TranslateConfig, TranslatePreset

if TYPE_CHECKING:
    from portraitist.stylize.pairs import PairFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    add_shared_arguments(parser)
    parser.add_argument("--steps", type=int, help="train up to this step instead of the preset's whole run")
    parser.add_argument("--begin", type=Path, help="folder of another style's run to begin with, RUN/translate")
    parser.add_argument("--minutes", type=float, help="stop after this time, at the next checkpoint")
    parser.add_argument("--sheet-every", type=int, default=250, help="steps between sheets and checkpoints")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_flags(parser, TranslateConfig, "translator")


def add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    """What must be the same to find the run again."""
    parser.add_argument("--style", required=True, help="the prepared domain of drawings")
    parser.add_argument("--photos", default="permissive", help="the prepared domain of photos")
    parser.add_argument("--hints-from", type=Path, help="pairs of stage 1 (stage generator-pairs)")
    parser.add_argument("--domains", type=Path, help="run folder in which they were prepared (default: RUN)")
    parser.add_argument("--domain-side", type=int, default=256, help="side they were prepared at (px)")
    parser.add_argument("--preset", choices=tuple(PRESETS), default="cpu")


def chosen_preset(asked: argparse.Namespace) -> TranslatePreset:
    """The preset with the flags that were given."""
    preset = PRESETS[asked.preset]
    names = TranslateConfig.__dataclass_fields__
    changes = {name: value for name, value in vars(asked).items() if name in names}
    return replace(preset, training=replace(preset.training, **changes))


def hints_of(asked: argparse.Namespace) -> PairFolder | None:
    """The pairs of stage 1 that were given."""
    from portraitist.stylize.pairs import PairFolder

    return None if asked.hints_from is None else PairFolder.open(asked.hints_from)


def run(asked: argparse.Namespace, report: Report) -> None:
    """Train up to the preset's steps, or --steps."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.translate.run import Limits, train_translator
    from portraitist.stylize.translate.training import Lessons
    from recipes.painters.stage_prepare import domain_path
    from recipes.painters.trunk import perceptual_features

    folder, preset = asked.domains or asked.run, chosen_preset(asked)
    photos, drawings = (
        load_domain(domain_path(folder, asked.domain_side, name)) for name in (asked.photos, asked.style)
    )
    features = perceptual_features(asked.device) if preset.training.likeness else None
    lessons = Lessons(photos, drawings, features, hints_of(asked))
    limits, told = Limits(asked.steps, asked.sheet_every, asked.minutes), {"begin": asked.begin, "device": asked.device}
    train_translator(lessons, asked.run / "translate", preset, limits, **told, report=report)
