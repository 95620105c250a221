"""An encoder for a generator, from pictures to latents: checkpoints in RUN/encoder; goes on by the same command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags, given
from portraitist.progress import Report
from portraitist.stylize.generator.config import EncoderConfig

if TYPE_CHECKING:
    from portraitist.stylize.generator.encoder import Encoder
    from portraitist.stylize.generator.generator_file import TrainedGenerator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file")
    parser.add_argument("--domain", default="omi", help="prepared photos")
    parser.add_argument("--name", default="encoder", help="the run's folder in RUN")
    parser.add_argument("--steps", type=int, default=4000, help="train up to this step")
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    add_flags(parser, EncoderConfig, "encoder")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Train up to --steps."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.generator.encoder import EncoderTrainee
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.training.loop import Pace
    from portraitist.training.loop import run as train
    from recipes.painters.stage_prepare import domain_path

    trained, config = load_generator(asked.source), given(asked, EncoderConfig)
    photos = load_domain(domain_path(asked.run, trained.size.side, asked.domain))
    pace = Pace(asked.steps, asked.save_every)
    train(EncoderTrainee(trained, photos, config), asked.run / asked.name, config.loop, pace, report=report)


def trained_encoder(folder: Path, trained: TrainedGenerator) -> Encoder | None:
    """The averaged weights of the newest checkpoint; None where there is none."""
    from portraitist.stylize.generator.encoder import new_encoder
    from portraitist.training.checkpoint import checkpoints, unpacked

    found = checkpoints(folder)
    if not found:
        return None
    tensors = unpacked(found[-1].read_bytes()).tensors
    encoder = new_encoder(trained).eval()
    average = {name: value for name, value in tensors.items() if name.startswith("average.")}
    encoder.load_state_dict({name.removeprefix("average."): value for name, value in average.items()})
    return encoder
