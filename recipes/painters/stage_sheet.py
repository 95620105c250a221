"""The same people after each stage, one row a stage: RUN/stages.jpg. Stages that were not run have no row."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.flags import given
from portraitist.progress import Report, Step
from portraitist.stylize.generator.config import InvertConfig
from portraitist.stylize.student.config import TIERS, StudentConfig
from recipes.painters.stage_translate import add_shared_arguments, chosen_preset

if TYPE_CHECKING:
    from portraitist.stylize.domain import Domain
    from portraitist.types import Image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    add_shared_arguments(parser)
    parser.add_argument("--keeper", default=argparse.SUPPRESS, help="the one the translator was trained with")
    parser.add_argument("--split", default="judge", help="tune or judge")
    parser.add_argument("--count", type=int, default=16, help="people")
    parser.add_argument("--source", type=Path, help="generator file that knows photos")
    parser.add_argument("--styled", type=Path, help="generator file of the style")
    parser.add_argument("--encoder", type=Path, help="run of the source's encoder")
    parser.add_argument("--tier", choices=tuple(TIERS), default=argparse.SUPPRESS, help="of the student")
    parser.add_argument("--has-mask", action="store_true", default=argparse.SUPPRESS, help="the student has a mask")
    parser.add_argument("--painter", type=Path, help="folder of the finished painter: stage 3 as it is applied")
    parser.add_argument("--cell", type=int, default=112, help="side of a picture on the sheet (px)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the sheet."""
    import cv2

    from portraitist.pages.sheets import contact_sheet
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.student.training import write_sheet
    from recipes.painters.stage_prepare import domain_path

    every = load_domain(domain_path(asked.domains or asked.run, asked.domain_side, asked.photos, asked.split))
    photos = every.among(range(0, len(every), max(1, len(every) // asked.count)), asked.count)
    rows = [("photo", list(photos.images)), *_generator(asked, photos, report), *_translator(asked, photos)]
    rows += _student(asked, photos) if asked.painter is None else _painter(asked.painter, photos)
    cell = (asked.cell, asked.cell)
    shown = [cv2.resize(image, cell, interpolation=cv2.INTER_AREA) for _, row in rows for image in row]
    captions = [name if not column else "" for name, row in rows for column in range(len(row))]
    path = write_sheet(asked.run / "stages.jpg", contact_sheet(shown, captions, columns=len(photos), cell=cell))
    report(Step("sheet", message=f"! {path}: {', '.join(name for name, _ in rows)}"))


def _generator(asked: argparse.Namespace, photos: Domain, report: Report) -> Iterator[tuple[str, list[Image]]]:
    """Stage 1: photos inverted, and the same latents through the blend with the style."""
    if asked.source is None or asked.styled is None:
        return
    from portraitist.stylize.generator.blend import Curve, blend
    from portraitist.stylize.generator.blend_pairs import SWAP_SIDE
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.invert import invert, restyle
    from recipes.painters.stage_encoder import trained_encoder

    source, style = load_generator(asked.source), load_generator(asked.styled)
    encoder = None if asked.encoder is None else trained_encoder(asked.encoder, source)
    small = photos.at(source.size.side).images
    latents = invert(source, small, InvertConfig(), encoder=encoder, report=report).latents
    yield "inverted", list(restyle(source, latents))
    yield "stage 1", list(restyle(blend(source, [(style, Curve(SWAP_SIDE, 1.0))]), latents))


def _translator(asked: argparse.Namespace, photos: Domain) -> Iterator[tuple[str, list[Image]]]:
    """Stage 2, where it was trained."""
    from portraitist.stylize.translate.paint import paint_photos, trained_translator
    from portraitist.training.checkpoint import checkpoints

    if checkpoints(asked.run / "translate"):
        preset = chosen_preset(asked)
        network = trained_translator(asked.run / "translate", preset)
        yield "stage 2", [image for image, _ in paint_photos(network, photos.at(preset.size.side).images)]


def _student(asked: argparse.Namespace, photos: Domain) -> Iterator[tuple[str, list[Image]]]:
    """Stage 3, where it was trained."""
    from portraitist.stylize.student.sheets import paint_with
    from portraitist.stylize.student.trainee import trained_student
    from portraitist.training.checkpoint import checkpoints

    if checkpoints(asked.run / "student"):
        network = trained_student(asked.run / "student", given(asked, StudentConfig))
        yield "stage 3", [paint_with(network, photo) for photo in photos.images]


def _painter(folder: Path, photos: Domain) -> Iterator[tuple[str, list[Image]]]:
    """Stage 3 as people get it."""
    from portraitist.placement import Placement
    from portraitist.stylize.engine import frame_painter
    from portraitist.stylize.painter_file import read_painter

    painter = frame_painter(read_painter(folder), Placement())
    yield "stage 3", [painter(photo).image for photo in photos.images]
