"""Make a painter from a folder of pictures: generator, translator, pairs, student, files. Each stage also alone.

Everything lies in the library below `painters-in-work/NAME`; every stage goes on after a stop by the same command, and
the painter itself goes to `painters/NAME`, where `portraitist stylize` finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portraitist.errors import InputError
from portraitist.library import Library, checked_name, write_json
from portraitist.options import from_mapping
from portraitist.progress import Report, Step, silent
from portraitist.stylize.domain import load_domain
from portraitist.stylize.painter_file import PainterFile
from portraitist.stylize.pairs import NOTE, OF_GENERATOR, PairFolder
from portraitist.stylize.pairs_config import PairFilterConfig
from portraitist.stylize.student.config import StudentConfig
from portraitist.stylize.translate.config import PRESETS, TranslatePreset
from portraitist.tasks.make_painter_config import MakePainterConfig
from portraitist.tasks.painters import FOLDER

WORK = "painters-in-work"
FEW_SHOT_STEPS = 4
"""The translator of a few pictures learns for a fourth of the preset's steps: beyond, it draws those few pictures."""


@dataclass(frozen=True)
class PainterWork:
    """A painter in the making: `folder` is where its stages leave their work, `made` where the painter goes."""

    name: str
    folder: Path
    made: Path
    config: MakePainterConfig
    report: Report = silent

    @property
    def photos(self) -> Path:
        """Framed photos."""
        return self.folder / "photos.npz"

    @property
    def drawings(self) -> Path:
        """Framed pictures of the style."""
        return self.folder / "drawings.npz"

    @property
    def hints(self) -> PairFolder | None:
        """What the generator drew of faces it made up; None where stage 1 was left out."""
        folder = self.folder / OF_GENERATOR
        return PairFolder.open(folder) if (folder / NOTE).is_file() else None

    def say(self, sentence: str) -> None:
        """One sentence for the person who waits."""
        self.report(Step("painter", message=sentence))


def begin(library: Library, name: str, config: MakePainterConfig, report: Report = silent) -> PainterWork:
    """The folders of a painter; nothing is written."""
    checked = checked_name(name)
    return PainterWork(checked, library.root / WORK / checked, library.root / FOLDER / checked, config, report)


def learn_generator(work: PainterWork, source: Path) -> None:
    """Stage 1: a generator that was trained on faces learns the drawings; what it draws of made-up faces are the
    translator's hints.

    Raises EngineError when it collapses; the last good state is kept.
    """
    from portraitist.tasks.make_painter_generator import transfer_and_pair

    transfer_and_pair(work, source, load_domain(work.drawings))


def learn_translator(work: PainterWork) -> None:
    """Stage 2: from photos to the drawings, without pairs. Raises EngineError when it collapses."""
    from portraitist.stylize.translate.run import Limits, train_translator
    from portraitist.stylize.translate.training import Lessons

    lessons = Lessons(load_domain(work.photos), load_domain(work.drawings), hints=work.hints)
    limits = Limits(every=work.config.save_every, minutes=work.config.minutes)
    train_translator(lessons, work.folder / "translate", preset_of(work), limits, report=work.report)


def make_pairs(work: PainterWork) -> PairFolder:
    """Between stages 2 and 3: every photo painted, those that lost their face left out."""
    from portraitist.faces.reader import FaceReader
    from portraitist.stylize.pairs_filter import filter_pairs
    from portraitist.stylize.translate.paint import note_of, trained_translator, write_pairs

    photos, preset = load_domain(work.photos), preset_of(work)
    hints = work.hints
    note = note_of(photos.note, load_domain(work.drawings).note, work.name, None if hints is None else hints.note)
    network = trained_translator(work.folder / "translate", preset)
    out, side = work.folder / "pairs", preset.size.side
    pairs = write_pairs(network, photos, out, note, side, crisp=work.config.crisp, report=work.report)
    config = PairFilterConfig(needs_face=work.config.needs_face)
    kept = filter_pairs(pairs, config, FaceReader.load(), report=work.report)
    work.say(f"{len(kept)} of {len(pairs)} pairs kept")
    return kept


def learn_student(work: PainterWork) -> None:
    """Stage 3: the painter's network learns from the pairs."""
    from portraitist.stylize.student.training import train_student

    pairs, config = PairFolder.open(work.folder / "pairs"), work.config
    limits: dict[str, Any] = {"every": config.save_every, "minutes": config.minutes}
    # The translator works at a small side: how sharp a drawing is, the critic learns from the drawings themselves.
    drawings = load_domain(work.drawings)
    train_student(
        pairs, work.folder / "student", student_of(work, pairs), drawings=drawings, **limits, report=work.report
    )


def export(work: PainterWork, title: str = "") -> PainterFile:
    """The painter's files, measured, and its card; returns what `stylize --painter NAME` will find."""
    from portraitist.stylize.student.export_all import export_all
    from portraitist.stylize.student.package import package_student
    from portraitist.stylize.student.trainee import trained_student

    pairs = PairFolder.open(work.folder / "pairs")
    config = student_of(work, pairs)
    network = trained_student(work.folder / "student", config)
    figures = export_all(network, pairs, work.folder / "formats", work.report)
    write_json(work.folder / "formats" / "figures.json", figures)
    short = {"grid": figures["grid"], "psnr of half": figures["files"]["half"]["psnr"]}
    return package_student(network, pairs, work.made, title=title or work.name, tier=config.tier, figures=short)


def make_painter(work: PainterWork, source: Path | None, title: str = "") -> PainterFile:
    """All stages one after the other; those that are done go by quickly."""
    stages: list[Callable[[PainterWork], object]] = [learn_translator, make_pairs, learn_student]
    if source is not None:
        learn_generator(work, source)
    else:
        work.say(
            "no --source to begin a generator from: stage 1 is left out, the drawings are learned from as they are"
        )
    for stage in stages:
        stage(work)
    return export(work, title)


def preset_of(work: PainterWork) -> TranslatePreset:
    """The translator's, shorter for a few pictures. The product has no perceptual network, so no likeness by one."""
    preset, config = PRESETS[work.config.preset], work.config
    steps = config.translate_steps or preset.steps
    if config.translate_steps is None and load_domain(work.drawings).is_few_shot:
        steps = max(1, steps // FEW_SHOT_STEPS)
        work.say(f"few-shot preset: {steps} steps of the translator")
    training = replace(preset.training, keeper=config.keeper, background=config.background, likeness=0.0)
    return replace(preset, training=training, steps=steps)


def student_of(work: PainterWork, pairs: PairFolder) -> StudentConfig:
    """The student's settings: without a perceptual network, crops no larger than the pairs."""
    config = work.config
    learning = {"steps": config.student_steps, "batch": config.batch, "side": min(256, config.side)}
    mapping = {"tier": config.tier, "has_mask": pairs.has_masks, "perceptual": 0.0, **learning}
    return from_mapping(StudentConfig, mapping)


def require_prepared(work: PainterWork) -> None:
    """Raise InputError unless the pictures were prepared."""
    if not (work.photos.is_file() and work.drawings.is_file()):
        raise InputError(
            f"painter '{work.name}': expected prepared pictures, found none; give --images DIR and --photos DIR"
        )
