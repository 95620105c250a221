"""The stages of the recipe, one function each: read the run's folder, do the work, leave the result there."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from functools import partial

from portraitist.cli.flags import given
from portraitist.errors import InputError
from portraitist.library import write_atomic, write_json
from portraitist.marks.labelled import LabelledFolder
from portraitist.marks.network_config import SHIPPED_SIZE, TINY, MarkNetworkConfig, MarkNetworkSize, MarkTrainingConfig
from portraitist.marks.network_export import read_weights, write_network
from portraitist.marks.network_layers import MarkNetwork
from portraitist.marks.network_rendered import mixed, render_views
from portraitist.marks.network_training import MarkTrainee, held_back
from portraitist.progress import Report, Step
from portraitist.training.checkpoint import checkpoints, unpacked
from portraitist.training.loop import Pace, Run, run
from recipes.marks.command import RunFolder
from recipes.marks.sheets import detections, sheet

SHARE = 0.16
"""Of the people, held back: four of the 25 of the London set's tune half, or a few more."""
HELD_BACK_VIEWS = 60
HELD_BACK_SEED = 1_000_000


def run_prepare(asked: argparse.Namespace, folder: RunFolder, report: Report) -> None:
    """skins/, rendered/ and held-back/, a file a view; a second run makes what is missing."""
    from recipes.marks.prepare import sources, write_skins

    if asked.data is None:
        raise InputError("prepare: expected --data DATA, found none; it holds faces/london and SPLIT.csv")
    config = given(asked, MarkTrainingConfig)
    photos = sources(asked.data)
    missed = write_skins(photos, folder.skins, config.side, report)
    learned, kept_back = _parted(LabelledFolder.of(folder.skins))
    render_views(learned, folder.rendered, asked.rendered, config.seed, report=report)
    render_views(kept_back, folder.held_back, HELD_BACK_VIEWS, HELD_BACK_SEED, report=report)
    annotated = len(_annotated(learned))
    text = f"{len(learned)} skins to learn from ({annotated} annotated), {len(kept_back)} held back, {missed} left out"
    report(Step("prepare", message=f"! {text}"))


def run_train(asked: argparse.Namespace, folder: RunFolder, report: Report) -> None:
    """Up to --steps, going on from the newest checkpoint; a sheet of what is found on held-back views now and then."""
    config, size = given(asked, MarkTrainingConfig), _size(asked)
    start = None if asked.start is None else read_weights(asked.start, size)
    trainee = MarkTrainee(_views(asked, folder), config, size, start=start)
    pace = Pace(config.steps, asked.sheet_every, asked.sheet_every)
    shown = _held_back_views(folder)
    draw = partial(_draw_sheet, shown, folder, report)
    run(trainee, folder.checkpoints, config.loop, pace, sheet=draw, should_stop=_until(asked.minutes), report=report)


def run_evaluate(asked: argparse.Namespace, folder: RunFolder, report: Report) -> None:
    """figures.json and table.md: held-back people at several least scores, with rendered marks and as annotated."""
    from recipes.marks.evaluate import sweep, table

    network = _newest(asked, folder)
    _, kept_back = _parted(LabelledFolder.of(folder.skins))
    sets = {"rendered": _held_back_views(folder), "annotated": _annotated(kept_back)}
    figures = {name: sweep(network, views, report) for name, views in sets.items()}
    text = "\n".join(f"{name}, {len(sets[name])} views\n\n{table(rows)}" for name, rows in figures.items())
    write_json(folder.path / "figures.json", figures)
    write_atomic(folder.path / "table.md", text.encode())
    report(Step("evaluate", message=f"!\n{text}"))


def run_export(asked: argparse.Namespace, folder: RunFolder, report: Report) -> None:
    """marks/marks.onnx and marks.safetensors: the averaged weights of the newest checkpoint."""
    found = checkpoints(folder.checkpoints)
    network = _newest(asked, folder)
    facts = {"checkpoint": found[-1].stem, "recipe": "recipes/marks"}
    figures = folder.path / "figures.json"
    if figures.is_file():
        facts["figures"] = json.dumps(json.loads(figures.read_bytes()))
    path = write_network(folder.detector, network, facts)
    report(Step("export", message=f"! {path}: {path.stat().st_size:,} bytes"))


def _views(asked: argparse.Namespace, folder: RunFolder) -> LabelledFolder:
    """What is learned from: rendered views, and the annotated ones as they are."""
    learned, _ = _parted(LabelledFolder.of(folder.skins))
    rendered = LabelledFolder(LabelledFolder.of(folder.rendered).paths[: asked.use])
    return mixed(rendered, _annotated(learned))


def _annotated(skins: LabelledFolder) -> LabelledFolder:
    """Those whose marks somebody annotated."""
    from recipes.marks.prepare import is_annotated

    return LabelledFolder(tuple(path for index, path in enumerate(skins.paths) if is_annotated(skins[index])))


def _parted(skins: LabelledFolder) -> tuple[LabelledFolder, LabelledFolder]:
    """By person."""
    if not len(skins):
        raise InputError("no views of faces; run the stage prepare first")
    people = [skins[index].name for index in range(len(skins))]
    back = held_back(people, SHARE)
    rows = list(zip(skins.paths, people, strict=True))
    learned = tuple(path for path, person in rows if person not in back)
    return LabelledFolder(learned), LabelledFolder(tuple(path for path, person in rows if person in back))


def _held_back_views(folder: RunFolder) -> LabelledFolder:
    return LabelledFolder.of(folder.held_back)


def _draw_sheet(shown: LabelledFolder, folder: RunFolder, report: Report, state: Run) -> None:
    with state.evaluated() as network:
        found, text = detections(network, [shown[index] for index in range(min(6, len(shown)))], MarkNetworkConfig())
    write_atomic(folder.path / f"sheet-{state.step:06d}.jpg", sheet(found))
    report(Step("sheet", message=f"! step {state.step}: {text}"))


def _newest(asked: argparse.Namespace, folder: RunFolder) -> MarkNetwork:
    """The averaged weights of the newest checkpoint, or those of --start."""
    network = MarkNetwork(_size(asked)).eval()
    if asked.start is not None:
        network.load_state_dict(read_weights(asked.start, _size(asked)))
        return network
    found = checkpoints(folder.checkpoints)
    if not found:
        raise InputError(f"{folder.checkpoints}: no checkpoint; run the stage train first")
    tensors = unpacked(found[-1].read_bytes()).tensors
    average = {name: value for name, value in tensors.items() if name.startswith("average.")}
    network.load_state_dict({name.removeprefix("average."): value for name, value in average.items()})
    return network


def _size(asked: argparse.Namespace) -> MarkNetworkSize:
    return TINY if asked.tiny else SHIPPED_SIZE


def _until(minutes: float | None) -> Callable[[Run], bool]:
    """A stop after that time, never without one."""
    end = math.inf if minutes is None else time.monotonic() + 60 * minutes
    return lambda state: time.monotonic() >= end
