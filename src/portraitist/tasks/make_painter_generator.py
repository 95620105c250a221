"""Stage 1 of a painter: a generator learns the drawings and draws more of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from portraitist.stylize.domain import Domain, DomainNote, save_domain
from portraitist.stylize.generator.blend import Curve, blend
from portraitist.stylize.generator.config import TransferConfig
from portraitist.stylize.generator.generator_file import Origin, load_generator, newest_generator, save_generator
from portraitist.stylize.generator.presets import FEW_SHOT, PRESETS, TINY
from portraitist.stylize.generator.sample import sample
from portraitist.stylize.generator.training import adam
from portraitist.stylize.generator.transfer import TransferTrainee
from portraitist.stylize.generator.watch import guard
from portraitist.stylize.student.training import stop_after
from portraitist.training.loop import Pace, Trainee, run

if TYPE_CHECKING:
    from portraitist.tasks.make_painter import PainterWork

SWAP_SIDE = 16
"""From this side on the levels are the style's: below are pose and shape, which stay the source's."""


def transfer_and_sample(work: PainterWork, source: Path, drawings: Domain) -> None:
    """`generator.safetensors`, and `sampled.npz` with `config.samples` pictures of the blend with its source."""
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
        pictures = sample(blend(begun, [(learned, Curve(swap_side=SWAP_SIDE))]).generator, config.samples)
        names = tuple(f"sample-{number:05d}" for number in range(len(pictures)))
        save_domain(work.sampled, Domain("sampled", pictures, names, _note_of(learned.origin)))


def _note_of(origin: Origin) -> DomainNote:
    """What holds for any picture that the generator saw holds for what it draws."""
    told = [(note.licence, note.attribution) for note in origin.learned]
    licences, lines = ("; ".join(dict.fromkeys(filter(None, each))) for each in zip(*told, strict=True))
    return DomainNote("pictures of a generator", licences, lines, noncommercial=origin.noncommercial)


def joined(one: Domain, other: Domain) -> Domain:
    """Both, at the first one's side."""
    shape = (one.side, one.side)
    raised = np.stack([cv2.resize(image, shape, interpolation=cv2.INTER_CUBIC) for image in other.images])
    images = np.concatenate([one.images, raised.astype(np.uint8)])
    return Domain(one.name, images, (*one.names, *other.names), one.note)
