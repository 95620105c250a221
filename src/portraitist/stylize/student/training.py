"""One run of a student: checkpoints, sheets, a stop after a time."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
from torch import nn

from portraitist.library import write_atomic
from portraitist.progress import Report, Step, silent
from portraitist.stylize.domain import Domain
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import StudentConfig
from portraitist.stylize.student.losses import Features
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.sheets import student_sheet
from portraitist.stylize.student.trainee import StudentTrainee, trained_student
from portraitist.training.loop import Pace, Run, run
from portraitist.types import Image


def train_student(
    pairs: PairFolder,
    folder: Path,
    config: StudentConfig,
    features: Features | None = None,
    *,
    drawings: Domain | None = None,
    begin: Path | None = None,
    every: int = 500,
    minutes: float | None = None,
    report: Report = silent,
) -> StudentNetwork:
    """Up to `config.steps`, going on from the folder's newest checkpoint; returns the averaged network.

    drawings: what the critic takes for real instead of the pairs' paintings. begin: the folder of another run of the
    same tier, whose averaged student this one begins with; nothing is eased in then. every: steps between checkpoints,
    each with a sheet. minutes: stop after them, at the next checkpoint.
    Raises InputError when `begin` has no student of that tier, EngineError when the loss stops being a number; the
    newest checkpoint stays good.
    """
    config = config if begin is None else replace(config, ease=0)
    trainee = StudentTrainee(pairs, config, features, drawings=drawings)
    if begin is not None:
        trainee.student.load_state_dict(trained_student(begin, config).state_dict())
    draw = partial(_draw_sheet, pairs, folder, report)
    stop, pace = stop_after(minutes), Pace(config.steps, every, every)
    run(trainee, folder, config.loop, pace, sheet=draw, should_stop=stop, report=report)
    return trained_student(folder, config)


def stop_after(minutes: float | None) -> partial[bool]:
    """True, asked with a run, once that time has passed; never without one."""
    return partial(_has_passed, math.inf if minutes is None else time.monotonic() + 60 * minutes)


def write_sheet(path: Path, sheet: Image) -> Path:
    """A JPEG, written whole."""
    coded = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return write_atomic(path, coded.tobytes())


def _draw_sheet(pairs: PairFolder, folder: Path, report: Report, state: Run) -> None:
    with state.evaluated() as networks:
        assert isinstance(networks, nn.ModuleDict)
        path = write_sheet(folder / f"sheet-{state.step:06d}.jpg", student_sheet(networks["student"], pairs))
    report(Step("sheet", message=f"! step {state.step}: {path.name}, loss {state.losses[-1]:.4f}"))


def _has_passed(end: float, _: Run) -> bool:
    return time.monotonic() >= end
