"""`train --style`: a folder of pictures becomes a style of the library, a LoRA with the file that names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.errors import ConfigError, InputError
from portraitist.identity.config import IdentityConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.tasks.train import lora_trainee, open_base, require_extra, trouble_explained

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.identity.dataset import TrainingPhoto
    from portraitist.identity.train import Outcome
    from portraitist.identity.trainee import LoraTrainee
    from portraitist.styles.style import Style

UNKNOWN_LICENCE = "unknown: of the pictures given"
ABOUT_A_SITTER = ("hair_weight", "background_weight", "reward")
"""Beginnings of the settings that say nothing of a style."""


@dataclass(frozen=True)
class TrainedStyle:
    """path: the style's file, with the LoRA beside it. pictures: how many were learned from, and how many chose.
    skipped: one sentence a file that was left out. outcome: everything measured on the way."""

    path: Path
    style: Style
    pictures: tuple[int, int]
    skipped: tuple[str, ...]
    outcome: Outcome


def train_style(
    library: Library,
    key: str,
    images: Sequence[str | Path],
    base_name: str = "mini",
    config: IdentityConfig | None = None,
    *,
    licence: str = UNKNOWN_LICENCE,
    fresh: bool = False,
    placement: Placement | None = None,
    report: Report = silent,
) -> TrainedStyle | None:
    """Learn the look of pictures on a base as the style `key`; the same command goes on after a kill.

    images: files and folders. licence: of the pictures, goes with the LoRA. fresh: as in `train`.
    Raises InputError for a name that is taken or no key, and for fewer than three readable pictures; ConfigError for
    settings that are about a sitter; otherwise as `train` does, also of several processes.
    """
    require_extra()
    from portraitist.diffusion.bases import find_base
    from portraitist.identity.style_pictures import split_pictures
    from portraitist.identity.train import Lesson, Trainer
    from portraitist.styles.looks import own_folder
    from portraitist.training.processes import Processes

    processes = Processes.join(placement)
    config, placement = config or IdentityConfig(), processes.place(placement)
    report = report if processes.is_main else silent
    _require_about_styles(config)
    base = find_base(base_name)
    _require_free(library, key, base)
    folder = own_folder(library) / key
    command = f"portraitist train --style {key} --images {' '.join(map(str, images))} --base {base_name}"
    with trouble_explained(base, config, placement, command, folder):
        with processes.first_here():
            memory = open_base(base, config, placement, library=library, report=report)
        pictures, skipped = read_pictures(images, library, base, report)
        learned, kept_back = split_pictures(pictures)
        trainee = lora_trainee(base, config, learned, memory, trigger=trigger_of(key, base))
        lesson, title = Lesson(learned, kept_back, (), ()), f"style {key} on {base.name}"
        trainer = Trainer(trainee, lesson, folder, None, None, report, title, processes)
        steps = config.steps or base.training.steps(len(learned))
        outcome = trainer.run(steps, config.accumulation or base.training.accumulation, fresh=fresh)

        def finish() -> TrainedStyle:
            assert outcome is not None
            style = style_of(key, base, learned, licence)
            path = _write(library, style, outcome, trainee, base, licence)
            report(Step("train", steps, steps, f"style in {path}"))
            return TrainedStyle(path, style, (len(learned), len(kept_back)), skipped, outcome)

        return processes.on_main(finish)


def trigger_of(key: str, base: Base) -> str:
    """The word the look is learned on: the key; none on mini, which knows no words but its own."""
    return "" if base.family == "mini" else key


def read_pictures(
    images: Sequence[str | Path], library: Library, base: Base, report: Report = silent
) -> tuple[list[TrainingPhoto], tuple[str, ...]]:
    """Every picture framed and captioned once, and a sentence for each file that is not one.

    Raises InputError for a path that does not exist, and when no file is a picture.
    """
    from portraitist.album.scan import scan
    from portraitist.diffusion.captions import SUBJECT
    from portraitist.diffusion.face_facts import FactReader
    from portraitist.identity.style_pictures import FACELESS, style_picture
    from portraitist.image import open_photo

    found = scan(images)
    words = FactReader.load(with_attributes=library.accepts_noncommercial)
    faceless = SUBJECT if base.family == "mini" else FACELESS
    side, made, skipped = base.training.resolution, {}, [rejection.reason for rejection in found.rejected]
    for number, file in enumerate(found.files):
        report(Step("pictures", number, len(found.files), file.path.name))
        try:
            photo = open_photo(file.path)
            image = photo.pixels(4 * side)
        except InputError as error:
            skipped.append(str(error))
            continue
        if photo.digest in made:
            skipped.append(f"{file.path.name}: is a picture that is here already")
            continue
        made[photo.digest] = style_picture(image, photo.digest, side, words, faceless)
    if not made:
        why = f" ({'; '.join(skipped[:3])})" if skipped else ""
        raise InputError(f"--images: expected pictures of the style, found none{why}; give a folder with some")
    return list(made.values()), tuple(skipped)


def style_of(key: str, base: Base, learned: Sequence[TrainingPhoto], licence: str) -> Style:
    """The style in words: its trigger, what most captions say of light and background, and the LoRA's place."""
    from portraitist.identity.style_pictures import common_phrases
    from portraitist.styles.style import Prompt, Style, StyleLora

    common = common_phrases(learned)
    return Style(
        key=key,
        name=key,
        name_zh=key,
        about=f"Learned from {len(learned)} pictures on base {base.name}.",
        prompt=Prompt(
            "portrait",
            place=common.get("background", ""),
            light=common.get("light_x", ""),
            finish=trigger_of(key, base),
        ),
        needs="mini" if base.family == "mini" else "hub",
        steps=base.sampling.num_steps,
        # A distilled base has less, and does not listen to a style's guidance anyway.
        guidance=max(1.0, base.sampling.guidance_scale),
        # The weight at which the validation loss was measured.
        lora=StyleLora(f"{key}.safetensors", weight=1.0),
        source=f"portraitist train --style {key}; licence {licence}",
    )


def _require_about_styles(config: IdentityConfig) -> None:
    usual = IdentityConfig()
    for name in (field.name for field in fields(config) if field.name.startswith(ABOUT_A_SITTER)):
        if getattr(config, name) != getattr(usual, name):
            flag = "--" + name.replace("_", "-")
            raise ConfigError(f"{flag}: is about a sitter, found it with --style; everything in a style's pictures "
                              "counts alike, so leave it out")  # fmt: skip


def _require_free(library: Library, key: str, base: Base) -> None:
    """A key that no style has but the one an earlier run of this command made."""
    from portraitist.styles.looks import own_folder, style_named
    from portraitist.styles.style import KEY

    if not KEY.fullmatch(key):
        raise InputError(f"--style {key!r}: expected small letters, digits and single hyphens; choose another name")
    taken = style_named(key, library)
    if taken is None:
        return
    path = own_folder(library) / f"{key}.safetensors"
    if taken.key != key or taken.lora is None or taken.lora.file != str(path) or not path.is_file():
        raise InputError(f"--style {key}: the style '{taken.key}' has that name already; choose another")
    from portraitist.diffusion.lora_formats import read_metadata

    earlier = read_metadata(path).get("base")
    if earlier != base.name:
        raise InputError(f"--style {key}: was learned on base '{earlier}', not on '{base.name}'; choose another name")


def _write(library: Library, style: Style, outcome: Outcome, trainee: LoraTrainee, base: Base, licence: str) -> Path:
    """The LoRA first, then the file that names it: a style that is listed is whole. A file that is there is kept, as
    it may have been edited since."""
    from portraitist.diffusion.lora_formats import write_lora
    from portraitist.identity.dataset import data_digest
    from portraitist.styles.looks import add_styles, own_folder

    learned, prior = trainee.photos, trainee.prior
    facts = {
        "base": base.name,
        "family": base.family,
        "trigger": trigger_of(style.key, base),
        "data": data_digest(learned),
        "pictures": str(len(learned)),
        "rank": str(outcome.lora.rank),
        "steps": ", ".join(str(step) for step in outcome.weights),
        "validation_loss": str(outcome.measured.validation_loss),
        "licence": licence,
        "licence_of_base": base.licence,
        "noncommercial": str(base.family == "mini" or (prior is not None and prior.noncommercial)),
    } | ({} if prior is None else {"prior": prior.sha256})
    folder = own_folder(library)
    write_lora(folder / f"{style.key}.safetensors", outcome.lora, facts)
    path = folder / f"{style.key}.yaml"
    if not path.exists():
        add_styles(library, [style])
    return path
