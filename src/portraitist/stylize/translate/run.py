"""One run of a translator: checkpoints, sheets, a guard against collapse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from portraitist.progress import Report, Step, silent
from portraitist.stylize.student.training import stop_after, write_sheet
from portraitist.stylize.translate.config import TranslatePreset
from portraitist.stylize.translate.networks import Translator, TranslatorNetworks
from portraitist.stylize.translate.paint import trained_networks, trained_translator, translation_sheet
from portraitist.stylize.translate.training import Lessons, TranslateTrainee, adam
from portraitist.stylize.translate.watch import guard
from portraitist.training.loop import Pace, Run, run


@dataclass(frozen=True)
class Limits:
    """How far a run goes now. steps: up to this one (None: the preset's). every: steps between checkpoints, each with a
    sheet. minutes: stop after them, at the next checkpoint."""

    steps: int | None = None
    every: int = 250
    minutes: float | None = None


def train_translator(
    lessons: Lessons,
    folder: Path,
    preset: TranslatePreset,
    limits: Limits = Limits(),
    *,
    begin: Path | None = None,
    device: str = "cpu",
    report: Report = silent,
) -> Translator:
    """As far as the limits say, going on from the newest checkpoint; returns the averaged way to the style.

    begin: the folder of another style's run, of the same size, whose averaged networks this one begins with.
    Raises EngineError when it collapses or stops being numbers; the last good state is kept.
    """
    trainee = TranslateTrainee(lessons, preset.size, preset.training, device=device)
    if begin is not None:
        trainee.networks.load_state_dict(trained_networks(begin, preset).state_dict())
    ends = stop_after(limits.minutes)
    pace = Pace(limits.steps or preset.steps, limits.every, limits.every)
    run(
        trainee,
        folder,
        preset.training.loop,
        pace,
        sheet=partial(_draw_sheet, trainee, report),
        should_stop=partial(_stop, trainee, ends),
        build_optimizer=adam,
        report=report,
    )
    return trained_translator(folder, preset)


def _stop(trainee: TranslateTrainee, ends: partial[bool], state: Run) -> bool:
    return guard(state, trainee) or ends(state)


def _draw_sheet(trainee: TranslateTrainee, report: Report, state: Run) -> None:
    with state.evaluated() as networks:
        assert isinstance(networks, TranslatorNetworks)
        sheet = translation_sheet(networks.to_style, trainee.photos)
    path = write_sheet(state.folder / f"sheet-{state.step:06d}.jpg", sheet)
    report(Step("sheet", message=f"! step {state.step}: {path.name}, loss {state.losses[-1]:.3f}"))
