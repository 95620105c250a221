"""`train`: a sitter's album becomes an identity, a LoRA on a base, chosen by measured likeness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.errors import EngineError
from portraitist.identity.config import IdentityConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.types import Reference

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base, Preset
    from portraitist.diffusion.face_facts import FactReader
    from portraitist.identity.dataset import AlbumSplit, TrainingPhoto
    from portraitist.identity.memory import Memory
    from portraitist.identity.record import IdentityRecord
    from portraitist.identity.train import Outcome, Trainer
    from portraitist.identity.trainee import LoraSettings, LoraTrainee
    from portraitist.tasks.sitting import Cast
    from portraitist.training.processes import Processes

ONE_PHOTO = (
    "one photo: expect its pose, light and expression again, and no measure of likeness; from three photos on one is "
    "held out to choose by, from ten on likeness is measured"
)
"""Said before the time is spent."""


@dataclass(frozen=True)
class Trained:
    """folder: the identity's. record: what is written in it. outcome: everything measured on the way."""

    folder: Path
    record: IdentityRecord
    outcome: Outcome


def train(
    library: Library,
    name: str,
    base_name: str = "mini",
    config: IdentityConfig | None = None,
    *,
    fresh: bool = False,
    placement: Placement | None = None,
    report: Report = silent,
) -> Trained | None:
    """Learn the sitter `name` on a base; the same command goes on after a kill and ends with the same bits.

    fresh: begin anew where an earlier run is there; without it other photos or settings than that run's are refused.
    Where a launcher started several processes they learn together. The main one chooses, writes and returns; the others
    report nothing, wait for it and return None.
    Raises InputError for an unknown sitter or an empty album, WeightsError when the base is not here or not accepted,
    EngineError without the extra `diffusion`, when memory runs out and when the disk is full.
    """
    require_extra()
    from portraitist.diffusion.bases import find_base
    from portraitist.identity.dataset import split_album
    from portraitist.tasks.sitting import Cast
    from portraitist.tasks.train_reward import require_photos_to_choose
    from portraitist.training.processes import Processes

    processes = Processes.join(placement)
    config, placement = config or IdentityConfig(), processes.place(placement)
    report = report if processes.is_main else silent
    base, cast = find_base(base_name), Cast.of(library, name)
    split = split_album(cast.everyone)
    require_photos_to_choose(config, split)
    folder = library.sitter(name).identities_dir / base.name
    if len(cast.everyone) == 1:
        report(Step("album", 1, 1, ONE_PHOTO))
    with trouble_explained(base, config, placement, f"portraitist train {name} --base {base_name}", folder):
        with processes.first_here():
            memory = open_base(base, config, placement, library=library, report=report)
            studio = _Studio.of(library, base, cast, config, report)
        photos = studio.photos(split.train)
        trainee = lora_trainee(base, config, photos, memory)
        trainer = _trainer(trainee, split, folder, studio, placement, processes)
        steps = config.steps or base.training.steps(len(photos))
        accumulation = config.accumulation or base.training.accumulation
        outcome = trainer.run(steps, accumulation, fresh=fresh)
        return processes.on_main(partial(_finished, outcome, trainer, split, studio, accumulation))


def chosen_preset(base: Base, config: IdentityConfig, placement: Placement) -> Preset:
    """The memory preset that was asked for, else the device's. Raises PlacementError for a device that is not here."""
    from portraitist.diffusion.base_loading import require_device, suggest_preset

    require_device(placement)
    return base.preset(config.preset) if config.preset else suggest_preset(base, placement)


@contextmanager
def trouble_explained(
    base: Base, config: IdentityConfig, placement: Placement, command: str, folder: Path
) -> Iterator[None]:
    """Inside, memory or disk that runs out ends in an EngineError that says what to do. folder: of the run."""
    from portraitist.diffusion.out_of_memory import out_of_memory_explained
    from portraitist.training.checkpoint import checkpoints, room_for

    def hint() -> str:
        # A run resumes only with what it was begun with, and a preset may change the LoRA's rank.
        begun = bool(checkpoints(folder / "run"))
        return "; this run has begun with another preset: add --fresh" if begun else ""

    preset = chosen_preset(base, config, placement)
    with (
        out_of_memory_explained(base, preset, placement.device, command, hint),
        room_for("what was learned", folder),
    ):
        yield


def open_base(
    base: Base, config: IdentityConfig, placement: Placement, *, library: Library, report: Report = silent
) -> Memory:
    """The base's pipeline, its parts placed for training as the memory preset says."""
    from portraitist.diffusion.base_loading import load_base
    from portraitist.identity.memory import Memory

    preset = chosen_preset(base, config, placement)
    pipeline = load_base(base, "text", placement, preset=preset, for_training=True, library=library, report=report)
    return Memory(pipeline, preset, placement.device, report)


def lora_trainee(
    base: Base, config: IdentityConfig, photos: Sequence[TrainingPhoto], memory: Memory, **more: Any
) -> LoraTrainee:
    """The base with fresh adapters, or with those of the prior. more: further arguments of LoraTrainee."""
    from portraitist.diffusion.denoisers import denoiser_of
    from portraitist.identity.prior import read_prior
    from portraitist.identity.trainee import LoraTrainee

    lora = lora_settings(base, config, memory.preset)
    prior = read_prior(Path(config.prior), memory.pipeline, lora.rank, memory.report) if config.prior else None
    denoiser = denoiser_of(memory.pipeline)
    return LoraTrainee(denoiser, photos, lora, config, base.name, memory=memory, prior=prior, **more)


def lora_settings(base: Base, config: IdentityConfig, preset: Preset) -> LoraSettings:
    """What was asked for, else what the memory preset says, else the base's defaults."""
    from portraitist.identity.trainee import LoraSettings

    usual = base.training
    rank = config.rank or preset.rank or usual.rank
    text_rate = usual.text_learning_rate if config.text_learning_rate is None else config.text_learning_rate
    return LoraSettings(
        rank,
        # Another rank keeps the base's ratio of alpha to rank.
        config.alpha or usual.alpha * rank / usual.rank,
        {target.part: target.modules for target in base.lora},
        config.learning_rate or usual.learning_rate,
        text_rate,
        config.batch or usual.batch,
    )


def _trainer(
    trainee: Any, split: AlbumSplit, folder: Path, studio: _Studio, placement: Placement, processes: Processes
) -> Trainer:
    from portraitist.faces.reader import FaceReader
    from portraitist.identity.train import Lesson, Trainer
    from portraitist.tasks.train_previews import Previews

    reader, title = FaceReader.load(placement), f"{folder.parents[1].name} on {studio.base.name}"
    lesson = Lesson(trainee.photos, studio.photos(split.choose or split.held_out), split.choose, split.train)
    made = partial(Previews.of, trainee.denoiser.pipeline, studio.base, split, studio.config, reader, placement)
    previews = made() if processes.is_main else None
    return Trainer(trainee, lesson, folder, previews, reader, studio.report, title, processes)


@dataclass(frozen=True)
class _Studio:
    """Makes training photos for one base. captions: the album's, by digest. words: reads the facts that mini's own
    captions are made of."""

    base: Base
    config: IdentityConfig
    captions: Mapping[str, str]
    words: FactReader
    report: Report

    @classmethod
    def of(cls, library: Library, base: Base, cast: Cast, config: IdentityConfig, report: Report) -> _Studio:
        from portraitist.diffusion.face_facts import FactReader

        captions = {photo.digest: photo.caption for photo in cast.album.accepted}
        words = FactReader.load(with_attributes=library.accepts_noncommercial)
        return cls(base, config, captions, words, report)

    def photos(self, references: Sequence[Reference]) -> list[TrainingPhoto]:
        """Framed, masked and captioned in words the base knows."""
        from portraitist.identity.dataset import training_photo

        side, person, made = self.base.training.resolution, self.words.person, []
        for number, reference in enumerate(references):
            made.append(training_photo(reference, self._caption(reference), side, self.config, person))
            self.report(Step("photos", number + 1, len(references)))
        return made

    def _caption(self, reference: Reference) -> str:
        from portraitist.diffusion.captions import caption, describe

        if self.base.family != "mini":
            return self.captions[reference.picture.digest]
        image = reference.picture.pixels(1024)
        face = reference.face.scaled(image.shape[1] / reference.picture.size[1])
        return caption(describe(self.words.facts(image, face)))


def _finished(
    outcome: Outcome | None, trainer: Trainer, split: AlbumSplit, studio: _Studio, accumulation: int
) -> Trained:
    """What follows the training, on the main process: the reward stage, the report, the files."""
    from portraitist.tasks.train_reward import rewarded

    assert outcome is not None
    outcome = rewarded(trainer, outcome, studio.base, studio.words.person, accumulation)
    record = _write(trainer.folder, outcome, trainer, split, studio.base)
    studio.report(Step("train", message=f"identity in {trainer.folder}"))
    return Trained(trainer.folder, record, outcome)


def _write(folder: Path, outcome: Outcome, trainer: Trainer, split: AlbumSplit, base: Base) -> IdentityRecord:
    """Measure what was kept on the photos for the report, and write it."""
    from portraitist.diffusion.captions import TRIGGER
    from portraitist.identity.choose import face_of, measure_of
    from portraitist.identity.dataset import data_digest
    from portraitist.identity.record import IdentityRecord, write_identity

    prior = trainer.trainee.prior
    measured, fusion = outcome.measured, outcome.fusion
    # The face is chosen by the photos that choose: the report's choose nothing.
    face = face_of(measured, trainer.reader) if trainer.reader is not None else None
    reported = replace(measured, scores=trainer.score(measured.portraits, measured.portraits, split.report))
    record = IdentityRecord(
        base=base.name,
        family=base.family,
        trigger=TRIGGER,
        data=data_digest(trainer.trainee.photos),
        sources=tuple(reference.picture.digest for reference in split.train),
        rank=outcome.lora.rank,
        steps={str(step): share for step, share in outcome.weights.items()},
        chosen_by=measure_of(outcome.checks),
        distance=measured.distance_of("text"),
        template_distance=measured.distance_of("template"),
        report_distance=reported.distance_of("text"),
        report_template_distance=reported.distance_of("template"),
        bare_distance=outcome.bare.distance_of("text"),
        fusion_distance=None if fusion is None else fusion.distance,
        single_distance=None if fusion is None else outcome.single.distance,
        validation_loss=measured.validation_loss,
        rank_loss=outcome.rank_loss if outcome.is_fused else 0.0,
        is_fused=outcome.is_fused,
        licence=base.licence,
        noncommercial=base.family == "mini" or (prior is not None and prior.noncommercial),
        reward_rounds=len(outcome.rounds),
        reward_rounds_kept=sum(done.is_kept for done in outcome.rounds),
        distance_before_reward=None if outcome.unrewarded is None else outcome.unrewarded.distance_of("text"),
        prior=None if prior is None else prior.sha256,
    )
    return write_identity(folder, outcome.lora, record, face)


def require_extra() -> None:
    """EngineError naming what to install where a package of the extra `diffusion` is missing."""
    try:
        import diffusers  # noqa: F401
        import peft  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise EngineError(f"train: lacks a package ({error}); install portraitist[diffusion]") from error
