"""A trained student as a painter: its files, what they cost and how near they are to torch, and its card."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraitist.errors import EngineError
from portraitist.library import write_atomic
from portraitist.stylize.grid import border_ratio
from portraitist.stylize.painter_file import MadeFrom, PainterCard, PainterFile, write_painter
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import COST_SIDE, MULTIPLE
from portraitist.stylize.student.convert import CONVERTERS
from portraitist.stylize.student.cost import count_multiply_adds
from portraitist.stylize.student.export import as_input, to_int8, to_onnx
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.runtimes import RUNTIMES, median_seconds, psnr
from portraitist.stylize.student.sheets import paint_with
from portraitist.types import Image

ENDINGS = {"ncnn": ".param", "mnn": ".mnn", "tflite": ".tflite"}
CALIBRATION = 24
"""Photos that ranges of 8-bit numbers are seen on."""


@dataclass(frozen=True)
class Exported:
    """One file. psnr: decibels against torch. seconds: of one picture of `COST_SIDE`."""

    format: str
    path: Path
    bytes: int
    psnr: float
    seconds: float


def export_onnx(network: StudentNetwork, pictures: Sequence[Image], folder: Path) -> dict[str, Path]:
    """`single.onnx`, `half.onnx` and `int8.onnx`. pictures: photos as the painter will see them."""
    single, half = to_onnx(network, {}), to_onnx(network, {}, is_half=True)
    files = {"single": single, "half": half, "int8": to_int8(single, pictures)}
    return {name: write_atomic(folder / f"{name}.onnx", data) for name, data in files.items()}


def convert_where_installed(network: StudentNetwork, folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Files of the formats of phones, and for each that could not be made, why."""
    made, lacking = {}, {}
    for name, convert in CONVERTERS.items():
        try:
            files = convert(network, folder / "painter", COST_SIDE)
        except EngineError as error:
            lacking[name] = str(error)
        else:
            made[name] = next(file for file in files if file.suffix == ENDINGS[name])
    return made, lacking


def measure_file(name: str, path: Path, network: StudentNetwork, picture: Image, threads: int = 2) -> Exported:
    """picture: (COST_SIDE, COST_SIDE, 3)."""
    image, runtime = as_input(picture), RUNTIMES[path.suffix](path, threads)
    with torch.no_grad():
        made = network(torch.from_numpy(image))
    truth = np.asarray((made[0] if isinstance(made, tuple) else made).numpy(), np.float32)
    weights = path.with_suffix(".bin")
    size = path.stat().st_size + (weights.stat().st_size if weights.is_file() else 0)
    return Exported(name, path, size, psnr(runtime(image), truth), median_seconds(partial(runtime, image)))


def calibration_pictures(pairs: PairFolder, count: int = CALIBRATION) -> list[Image]:
    """Photos of pairs spread over the folder, cut to sides that are multiples of 32."""
    chosen = sorted({round(place) for place in np.linspace(0, len(pairs) - 1, min(count, len(pairs)))})
    repeated = itertools.islice(itertools.cycle(chosen), max(len(chosen), 8))
    return [_cut(pairs[number].photo) for number in repeated]


def grid_of(network: StudentNetwork, pictures: Sequence[Image]) -> float:
    """Mean `border_ratio` of what the student paints, over that of the photos it paints them from."""
    ratios = [border_ratio(paint_with(network, picture)) / border_ratio(picture) for picture in pictures]
    return float(np.mean(ratios))


def package_student(
    network: StudentNetwork,
    pairs: PairFolder,
    folder: Path,
    *,
    title: str,
    tier: str,
    figures: dict[str, Any],
    lift: float | None = None,
) -> PainterFile:
    """The painter `folder.name`, its weights in half precision, with the pairs' licence and attributions.

    lift: L* that it lifts darker faces to, None for what the pairs were painted with.
    """
    note = pairs.note
    sources = tuple(MadeFrom(line, note.licence, line) for line in note.attributions)
    card = PainterCard(
        name=folder.name,
        title=title,
        side=pairs[0].photo.shape[0] // MULTIPLE * MULTIPLE,
        licence=note.licence,
        part=note.part,
        lift=note.lift if lift is None else lift,
        tier=tier if tier in ("nano", "small", "base") else "other",
        multiply_adds_512=count_multiply_adds(network),
        noncommercial=note.noncommercial,
        style=note.style,
        made_from=sources or (MadeFrom(note.title, note.licence),),
        stages=(*note.stages, "student"),
        figures=figures,
    )
    data = to_onnx(network, {"painter": folder.name}, is_half=True)
    return write_painter(folder, data, card, _readme(card, note.made_by))


def _readme(card: PainterCard, made_by: str) -> str:
    marked = " It saw non-commercial pictures (`nc`)." if card.noncommercial else ""
    lines = [f"# {card.title}", "", f"A painter of the tier `{card.tier}`. Licence: {card.licence}.{marked}", ""]
    lines += [f"Its pairs were made by: {made_by}. Stages: {', '.join(card.stages)}.", "", "Made from:"]
    lines += [f"- {source.attribution or source.name} ({source.licence})" for source in card.made_from]
    lines += ["", "| figure | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in card.figures.items()]
    return "\n".join(lines) + "\n"


def _cut(picture: Image) -> Image:
    h, w = (side // MULTIPLE * MULTIPLE for side in picture.shape[:2])
    return np.ascontiguousarray(picture[:h, :w])
