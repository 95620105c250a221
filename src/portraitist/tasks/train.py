"""`train`: a sitter's album becomes an identity, a LoRA on a base, chosen by measured likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.errors import EngineError
from portraitist.identity.config import IdentityConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.types import Image, Reference

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base, Preset
    from portraitist.diffusion.face_facts import FactReader
    from portraitist.identity.dataset import AlbumSplit, TrainingPhoto
    from portraitist.identity.record import IdentityRecord
    from portraitist.identity.train import Outcome, Trainer
    from portraitist.identity.trainee import LoraSettings
    from portraitist.tasks.sitting import Cast

PREVIEWS = (
    "portrait",
    "portrait, facing the camera, smiling, light background",
    "portrait, serious, dark background",
    "portrait, turned left",
    "portrait, turned right, smiling",
    "portrait, close-up, mouth closed",
)
"""Captions of the validation portraits; the trigger is put in."""
PREVIEW_SEED = 11


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
    placement: Placement | None = None,
    report: Report = silent,
) -> Trained:
    """Learn the sitter `name` on a base; the same command goes on after a kill and ends with the same bits.

    Raises InputError for an unknown sitter or an empty album, WeightsError when the base is not here or not accepted,
    EngineError without the extra `diffusion`.
    """
    require_extra()
    from portraitist.diffusion.base_loading import load_base, suggest_preset
    from portraitist.diffusion.bases import find_base
    from portraitist.diffusion.denoisers import denoiser_of
    from portraitist.identity.dataset import split_album
    from portraitist.identity.trainee import LoraTrainee
    from portraitist.tasks.sitting import Cast

    config, placement = config or IdentityConfig(), placement or Placement()
    base, cast = find_base(base_name), Cast.of(library, name)
    split = split_album(cast.everyone)
    preset = suggest_preset(base, placement)
    pipeline = load_base(base, "text", placement, preset=preset, library=library, report=report)
    studio = _Studio.of(library, base, cast, config, report)
    photos = studio.photos(split.train)
    trainee = LoraTrainee(denoiser_of(pipeline), photos, lora_settings(base, config, preset), config, base.name)
    folder = library.sitter(name).identities_dir / base.name
    trainer = _trainer(trainee, split, folder, studio, placement)
    steps = config.steps or base.training.steps(len(photos))
    outcome = trainer.run(steps, config.accumulation or base.training.accumulation)
    record = _write(folder, outcome, trainer, split, base)
    report(Step("train", steps, steps, f"identity in {folder}"))
    return Trained(folder, record, outcome)


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


def _trainer(trainee: Any, split: AlbumSplit, folder: Path, studio: _Studio, placement: Placement) -> Trainer:
    from portraitist.faces.reader import FaceReader
    from portraitist.identity.train import Lesson, Trainer

    lesson = Lesson(trainee.photos, studio.photos(split.choose), split.choose, split.train)
    preview = partial(_preview, trainee.denoiser.pipeline, studio.base) if split.choose else None
    return Trainer(trainee, lesson, folder, preview, FaceReader.load(placement), studio.report)


def _preview(pipeline: Any, base: Base) -> Sequence[Image]:
    """The validation portraits with the adapters as they are now."""
    from portraitist.generate.config import DrawConfig
    from portraitist.generate.text import TextEngine
    from portraitist.identity.trainee import with_trigger

    engine = TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale)
    return engine.draw([with_trigger(text) for text in PREVIEWS], "", PREVIEW_SEED)


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


def _write(folder: Path, outcome: Outcome, trainer: Trainer, split: AlbumSplit, base: Base) -> IdentityRecord:
    """Lay the chosen LoRA on the base once more, measure it on the photos kept for the report, and write it."""
    from portraitist.diffusion.captions import TRIGGER
    from portraitist.diffusion.lora_adapters import install, remove
    from portraitist.identity.checks import score_portraits
    from portraitist.identity.dataset import data_digest
    from portraitist.identity.record import IdentityRecord, write_identity
    from portraitist.identity.trainee import ADAPTER

    pipeline = trainer.trainee.denoiser.pipeline
    remove(pipeline, ADAPTER)
    install(pipeline, outcome.lora, ADAPTER)
    report_distance, face = None, None
    if trainer.preview is not None and trainer.reader is not None:
        portraits = trainer.preview()
        scores = score_portraits(portraits, portraits, split.report, split.train, trainer.reader)
        found = [score for score in scores if score.distance is not None]
        if found:
            report_distance = sum(score.distance or 0.0 for score in found) / len(found)
            face = portraits[min(found, key=lambda score: score.distance or 0.0).number]
    record = IdentityRecord(
        base=base.name,
        family=base.family,
        trigger=TRIGGER,
        data=data_digest(trainer.trainee.photos),
        sources=tuple(reference.picture.digest for reference in split.train),
        rank=outcome.lora.rank,
        steps={str(step): share for step, share in outcome.weights.items()},
        distance=outcome.measured.distance,
        report_distance=report_distance,
        validation_loss=outcome.measured.validation_loss,
        rank_loss=outcome.rank_loss,
        is_fused=len(outcome.weights) > 1,
        licence=base.licence,
        noncommercial=base.name == "mini",
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
