"""A style from a generator: the networks learn on with a style's pictures in RUN/NAME; then export, blend or chain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags, given
from portraitist.options import to_mapping
from portraitist.progress import Report, Step
from portraitist.stylize.generator.config import TransferConfig

if TYPE_CHECKING:
    from portraitist.stylize.domain import Domain

STEPS = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file to begin from")
    parser.add_argument("--domain", required=True, help="the prepared style domain")
    parser.add_argument("--name", help="the run's folder in RUN (default: transfer-DOMAIN)")
    parser.add_argument("--preset", default="cpu64", help="whose batch, rates and penalties")
    parser.add_argument("--steps", type=int, default=STEPS, help="train up to this step")
    parser.add_argument("--minutes", type=float, help="stop after this time, at the next checkpoint")
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--sheet-every", type=int, default=200, help="steps between sample sheets")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_flags(parser, TransferConfig, "transfer")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Train up to --steps, then write NAME.safetensors beside the run's folder."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.generator.generator_file import load_generator, newest_generator, save_generator
    from portraitist.stylize.generator.presets import PRESETS
    from portraitist.stylize.generator.training import adam
    from portraitist.stylize.generator.transfer import TransferTrainee
    from portraitist.stylize.generator.watch import guard
    from portraitist.training.loop import Pace
    from portraitist.training.loop import run as train
    from recipes.painters.stage_generator import until, write_sheet
    from recipes.painters.stage_prepare import domain_path

    source, training = load_generator(asked.source), PRESETS[asked.preset].training
    domain = load_domain(domain_path(asked.run, source.size.side, asked.domain))
    trainee = TransferTrainee(domain, source, training, transfer_config(asked, domain), device=asked.device)
    folder = asked.run / (asked.name or f"transfer-{asked.domain}")
    ends = until(asked.minutes)
    train(
        trainee,
        folder,
        training.loop,
        Pace(asked.steps, asked.save_every, asked.sheet_every),
        sheet=lambda state: write_sheet(state, trainee),
        should_stop=lambda state: guard(state, trainee) or ends(state),
        build_optimizer=adam,
        report=report,
    )
    origin = source.origin.then(f"transferred to {domain.note.title}", domain.note)
    path = save_generator(folder.with_suffix(".safetensors"), newest_generator(folder, source.size, origin))
    report(Step("transfer", message=f"! {path}"))


def transfer_config(asked: argparse.Namespace, domain: Domain) -> TransferConfig:
    """The flags that were given, over the usual settings, or over the few-shot ones where pictures are few."""
    from portraitist.stylize.generator.presets import FEW_SHOT

    usual = FEW_SHOT if domain.is_few_shot else TransferConfig()
    return given(asked, TransferConfig, **{k: v for k, v in to_mapping(usual).items() if not hasattr(asked, k)})
