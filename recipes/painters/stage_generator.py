"""A StyleGAN2 of a domain: checkpoints, watch.jsonl and sample sheets in RUN/generator; goes on by the same command."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.progress import Report

if TYPE_CHECKING:
    from portraitist.stylize.generator.training import GanTrainee
    from portraitist.training.loop import Run

SHEET_COLUMNS, SHEET_ROWS = 10, 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--domain", default="omi", help="the prepared domain to learn")
    parser.add_argument("--name", default="generator", help="the run's folder in RUN")
    parser.add_argument("--preset", default="cpu64", help="tiny, cpu64, gpu256, gpu512 or gpu1024")
    parser.add_argument("--steps", type=int, help="train up to this step instead of the preset's whole run")
    parser.add_argument("--minutes", type=float, help="stop after this time, at the next checkpoint")
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--sheet-every", type=int, default=600, help="steps between sample sheets")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Train up to the preset's pictures, or --steps."""
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.generator.presets import PRESETS
    from portraitist.stylize.generator.training import GanTrainee, adam
    from portraitist.stylize.generator.watch import guard
    from portraitist.training.loop import Pace
    from portraitist.training.loop import run as train
    from recipes.painters.stage_prepare import domain_path

    preset = PRESETS[asked.preset]
    domain = load_domain(domain_path(asked.run, preset.size.side, asked.domain))
    trainee = GanTrainee(domain, preset.size, preset.training, device=asked.device)
    ends = until(asked.minutes)
    train(
        trainee,
        asked.run / asked.name,
        preset.training.loop,
        Pace(asked.steps or preset.steps, asked.save_every, asked.sheet_every),
        sheet=lambda state: write_sheet(state, trainee),
        should_stop=lambda state: guard(state, trainee) or ends(state),
        build_optimizer=adam,
        report=report,
    )


def write_sheet(state: Run, trainee: GanTrainee) -> Path:
    """sheets/STEP.png: the averaged generator on fixed latents, the last row untruncated."""
    import numpy as np

    from portraitist.image import encode_image
    from portraitist.library import write_atomic
    from portraitist.pages.sheets import contact_sheet
    from portraitist.stylize.generator.sample import sample
    from portraitist.stylize.generator.training import GanNetworks

    with state.evaluated() as average:
        assert isinstance(average, GanNetworks)
        count = SHEET_COLUMNS * (SHEET_ROWS - 1)
        tame = sample(average.generator, count, psi=0.7)
        wild = sample(average.generator, SHEET_COLUMNS, seed=1, psi=1.0)
    side = trainee.size.side
    sheet = contact_sheet(list(np.concatenate([tame, wild])), columns=SHEET_COLUMNS, cell=(side, side))
    return write_atomic(state.folder / "sheets" / f"{state.step:07d}.png", encode_image(sheet, "png"))


def until(minutes: float | None) -> Callable[[Run], bool]:
    """A stop after that time, never without one."""
    end = math.inf if minutes is None else time.monotonic() + 60 * minutes
    return lambda state: time.monotonic() >= end
