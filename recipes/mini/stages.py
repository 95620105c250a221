"""The stages of the recipe, one function each: read the run's folder, do the work, leave the result there.

Each imports what it needs: training wants neither the face networks nor their runtimes.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from portraitist.errors import InputError
from portraitist.progress import Report, Step
from recipes.mini.command import LABELS, RunFolder
from recipes.mini.config import MiniConfig

if TYPE_CHECKING:
    from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
    from portraitist.training.loop import Run
    from recipes.mini.base import BaseTrainee
    from recipes.mini.controls import ControlTrainee

BASE_STEPS = 80_000
CONTROL_STEPS = 4_000
SAVE_EVERY = 500
FIRST_SHEETS = (500, 1562, 4000)
"""Steps with a sheet whatever the pace: 1,562 batches of 16 are 25,000 samples, what the figures are compared with."""
TINY_LEAST = 4


def run_prepare(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """pack.npz, and judge.npz where the data has a judge split."""
    from recipes.mini.pack import save_pack
    from recipes.mini.prepare import LEAST_PICTURES, folder_sources, omi_sources, prepare

    if asked.images is None and asked.data is None:
        raise InputError("prepare: found neither --data nor --images; name a folder of pictures with --images")
    if asked.images is not None:
        jobs = [(folder_sources(asked.images), folder.pack, TINY_LEAST if asked.config == "tiny" else LEAST_PICTURES)]
    else:
        jobs = [(omi_sources(asked.data, "tune", LABELS), folder.pack, LEAST_PICTURES)]
        jobs.append((omi_sources(asked.data, "judge", LABELS), folder.judge, 1))
    for sources, path, least in jobs:
        pack, missed = prepare(sources, config.data.side, least=least, report=report)
        save_pack(path, pack)
        text = f"! {path.name}: {len(pack)} pictures of {len(set(pack.people))} people; no face in {missed or 'none'}"
        report(Step("prepare", message=text))


def run_autoencoder(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """The patch autoencoder, fitted; what a round trip loses on the judge pictures."""
    from recipes.mini.autoencoder import fit_autoencoder, psnr, round_trip, shrink
    from recipes.mini.pack import load_pack

    autoencoder = fit_autoencoder(config, load_pack(folder.pack))
    autoencoder.save_pretrained(folder.autoencoder)
    held_out = load_pack(folder.judge if folder.judge.is_file() else folder.pack)
    images = [shrink(image, config.image_side) for image in held_out.images]
    losses = psnr(images, round_trip(autoencoder, images))
    text = f"! round trip of {len(losses)}: PSNR mean {sum(losses) / len(losses):.1f}, least {min(losses):.1f} dB"
    report(Step("autoencoder", message=text))


def run_base(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """The text encoder and the denoiser, up to --steps; goes on from the newest checkpoint."""
    from portraitist.training.loop import Pace, run
    from recipes.mini.base import load_average
    from recipes.mini.pack import load_pack

    trainee = base_trainee(asked, folder, config)
    if asked.start is not None:
        load_average(trainee.module, asked.start)
    pace = Pace(asked.steps or BASE_STEPS, min(SAVE_EVERY, asked.sheet_every), asked.sheet_every, FIRST_SHEETS)
    stops = [until(asked.minutes)]
    if asked.watch and folder.judge.is_file():
        from recipes.mini.watch import copy_watch

        stops.append(copy_watch(trainee, load_pack(folder.judge), folder.path, asked.watch, report))
    sheet = partial(base_sheet, trainee)
    run(trainee, folder.base, config.loop, pace, sheet=sheet, should_stop=partial(any_stop, stops), report=report)


def any_stop(stops: Sequence[Callable[[Run], bool]], state: Run) -> bool:
    """True when one of them says so."""
    return any([stop(state) for stop in stops])


def until(minutes: float | None) -> Callable[[Run], bool]:
    """A stop after that time, never without one."""
    end = math.inf if minutes is None else time.monotonic() + 60 * minutes
    return lambda state: time.monotonic() >= end


def run_controls(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """Each control, taught on the base's newest averaged weights; --start goes on from those of an exported folder."""
    from portraitist.training.loop import Pace, run
    from recipes.mini.base import load_average
    from recipes.mini.controls import CONTROLS, ControlTrainee, control_loop

    for name in (asked.control,) if asked.control else CONTROLS:
        base = base_trainee(asked, folder, config)
        trainee = ControlTrainee(name, base, load_newest_base(base, folder))
        if asked.start is not None:
            load_average(trainee.module, asked.start / f"controlnet_{name}")
        pace = Pace(asked.steps or CONTROL_STEPS, min(SAVE_EVERY, asked.sheet_every), asked.sheet_every)
        sheet = partial(control_sheet, trainee)
        run(trainee, folder.control(name), control_loop(config), pace, sheet=sheet, report=report)


def base_trainee(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig) -> BaseTrainee:
    """The base as it begins, with the run's data and autoencoder."""
    from recipes.mini.base import BaseTrainee
    from recipes.mini.pack import load_pack

    return BaseTrainee(config, load_pack(folder.pack), load_autoencoder(folder), asked.device)


def load_autoencoder(folder: RunFolder) -> PatchAutoencoder:
    """What run_autoencoder left."""
    from portraitist.diffusion.patch_autoencoder import PatchAutoencoder

    if not folder.autoencoder.is_dir():
        raise InputError(f"{folder.autoencoder}: not there; run the autoencoder stage first")
    autoencoder: PatchAutoencoder = PatchAutoencoder.from_pretrained(folder.autoencoder)
    return autoencoder


def load_newest_base(base: BaseTrainee, folder: RunFolder) -> str:
    """Put the base's newest averaged weights in place; returns the checkpoint's name and digest."""
    import hashlib

    from portraitist.training.checkpoint import checkpoints
    from recipes.mini.base import load_average

    found = checkpoints(folder.base)
    if not found:
        raise InputError(f"{folder.base}: no checkpoint; run the base stage first")
    load_average(base.module, found[-1])
    return f"{found[-1].stem} {hashlib.sha256(found[-1].read_bytes()).hexdigest()[:16]}"


def run_evaluate(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """figures.json, table.md and the sheet of samples beside their nearest training pictures, in RUN/figures."""
    from recipes.mini.base import load_average
    from recipes.mini.controls import CONTROLS
    from recipes.mini.evaluate import Effort, Evaluation
    from recipes.mini.pack import load_pack
    from recipes.mini.painters import paint_by_text, paint_over_conditions

    base = base_trainee(asked, folder, config)
    if asked.start is None:
        load_newest_base(base, folder)
    else:
        load_average(base.module, asked.start)
    effort = Effort.of(asked.samples)
    evaluation = Evaluation.load(base.pack, load_pack(folder.judge), config.image_side, folder.path, report)
    if asked.data is not None:
        evaluation.judges(asked.data / "synthetic_faces" / "omi256_attributes.csv")
    evaluation.round_trip(base.autoencoder)
    paint = partial(paint_by_text, base, report=report)
    readings = evaluation.samples(paint, effort.samples)
    evaluation.obedience(paint, effort.asked)
    trained = [name for name in CONTROLS if folder.control(name).is_dir()]
    steer = partial(paint_over_conditions, base, folder)
    evaluation.controls(steer, trained, effort.steered, config.data, config.image_side)
    evaluation.sheet(readings, folder.figures / "samples.jpg")
    evaluation.write(folder.figures)
    report(Step("evaluate", message="! " + evaluation.table.markdown()))


def run_export(asked: argparse.Namespace, folder: RunFolder, config: MiniConfig, report: Report) -> None:
    """The folder diffusers loads, its card, and the digest that the weights table wants."""
    import hashlib

    from portraitist.training.checkpoint import checkpoints
    from recipes.mini.base import load_average
    from recipes.mini.controls import CONTROLS, build_control
    from recipes.mini.export import (
        build_pipeline,
        export,
        export_control,
        hours_trained,
        recipe_digest,
        write_card,
        write_digests,
    )

    base = base_trainee(asked, folder, config)
    source = load_newest_base(base, folder)
    export(build_pipeline(config, base.module, base.autoencoder), folder.folder)
    for name in CONTROLS:
        if folder.control(name).is_dir():
            control = build_control(config)
            load_average(control, checkpoints(folder.control(name))[-1])
            export_control(control, folder.folder, name)
    step = int(source.split()[0].rpartition("-")[2])
    facts = {
        "source": source,
        "pack": base.pack.digest,
        "recipe": recipe_digest(),
        "pictures": len(base.pack),
        "people": len(set(base.pack.people)),
        "steps": f"{step:,}",
        "samples": f"{step * config.batch:,}",
        "hours": f"{hours_trained(folder.base / 'log.jsonl'):.1f}",
    }
    write_card(folder.folder, folder.figures, facts)
    digests = write_digests(folder.folder)
    digest = hashlib.sha256((folder.folder / "digests.json").read_bytes()).hexdigest()
    size = sum(file.size for file in digests)
    report(Step("export", message=f"! {folder.folder}: sha256 of digests.json {digest}, {size} bytes"))


SHEET_CAPTIONS = (
    "portrait, smiling, dark background, long hair",
    "portrait, serious, short hair, light background",
    "portrait, turned left, mouth open",
    "portrait, turned right, dark hair, glasses",
    "portrait",
    "portrait, facing the camera, beard",
    "portrait, long hair, light hair, light background",
    "portrait, close-up, lit from the left",
)


def base_sheet(trainee: BaseTrainee, state: Run) -> None:
    """24 pictures of the averaged weights, always of the same noise, as sheet-STEP.png in the run's folder; the
    weights themselves, in half precision, for the curves over training."""
    from recipes.mini.base import save_average
    from recipes.mini.sampling import Draw, draw

    with state.evaluated() as networks:
        images = draw(trainee, networks, Draw([SHEET_CAPTIONS[i % 8] for i in range(24)]))
        save_average(networks, state.folder / "averages" / f"average-{state.step:07d}.safetensors")
    _write_sheet(state, images)


def control_sheet(trainee: ControlTrainee, state: Run) -> None:
    """Eight conditions, each above two pictures it steered."""
    from recipes.mini.controls import condition_of, conditions_of
    from recipes.mini.sampling import Draw, draw

    samples = trainee.base.sampler.batch(0, 8)
    conditions = conditions_of(trainee.name, samples)
    rows = [condition_of(trainee.name, sample) for sample in samples]
    with state.evaluated() as control:
        for seed in (0, 1):
            asked = Draw(["portrait"] * 8, seed=seed, conditions=conditions)
            rows += draw(trainee.base, trainee.networks, asked, control)
    _write_sheet(state, rows)


def _write_sheet(state: Run, images: list) -> None:
    import cv2

    from recipes.mini.sampling import grid

    cv2.imwrite(str(state.folder / f"sheet-{state.step:07d}.png"), grid(images, 8)[..., ::-1])
