"""Stage 1 of a painter: a generator learns the drawings, and draws faces it makes up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from portraitist.stylize.domain import Domain
from portraitist.stylize.generator.blend_pairs import write_blend_pairs
from portraitist.stylize.generator.config import TransferConfig
from portraitist.stylize.generator.generator_file import load_generator, newest_generator, save_generator
from portraitist.stylize.generator.presets import FEW_SHOT, PRESETS, TINY
from portraitist.stylize.generator.training import adam
from portraitist.stylize.generator.transfer import TransferTrainee
from portraitist.stylize.generator.watch import guard
from portraitist.stylize.pairs import OF_GENERATOR
from portraitist.stylize.student.training import stop_after
from portraitist.training.loop import Pace, Trainee, run

if TYPE_CHECKING:
    from portraitist.tasks.make_painter import PainterWork


def transfer_and_pair(work: PainterWork, source: Path, drawings: Domain) -> None:
    """`generator.safetensors`, and `generator-pairs` with `config.samples` pairs of its source and their blend."""
    begun, config = load_generator(source), work.config
    training = (TINY if begun.size.side <= TINY.size.side else PRESETS["cpu64"]).training
    trainee = TransferTrainee(drawings, begun, training, FEW_SHOT if drawings.is_few_shot else TransferConfig())
    folder, ends = work.folder / "generator", stop_after(config.minutes)
    run(
        cast(Trainee, trainee),
        folder,
        training.loop,
        Pace(config.generator_steps, config.save_every),
        should_stop=lambda state: guard(state, trainee) or ends(state),
        build_optimizer=adam,
        report=work.report,
    )
    origin = begun.origin.then(f"transferred to {drawings.note.title}", drawings.note)
    learned = newest_generator(folder, begun.size, origin)
    save_generator(folder.with_suffix(".safetensors"), learned)
    if config.samples:
        write_blend_pairs(
            begun, learned, work.folder / OF_GENERATOR, config.samples, domain=work.name, report=work.report
        )
