"""How near drawn heads come to the pose asked for, pose by pose: mean absolute errors in degrees, and faces not found.

    python benchmarks/poses.py [--library DIR] [--sitter NAME] [--count 4] [--strengths 0 1] [--poses front half-left]
                               [--sheet FILE.jpg]

With a sitter, their identity on the base draws and their album gives the shape of the head; without one the base alone
draws, in the shape of Eileen Collins (NASA, public domain). Strength 0 is what the words reach by themselves. The sheet
shows of each pose the condition and the first picture at each strength. The weights of portrait-mini are not for
commercial use: the library must have accepted that.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from portraitist.diffusion.base_loading import load_base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.lora_adapters import install
from portraitist.diffusion.lora_formats import read_lora
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import DrawConfig
from portraitist.generate.poses import poses
from portraitist.generate.text import TextEngine, TextOrder
from portraitist.identity.record import WEIGHTS, read_identity
from portraitist.image import encode_image
from portraitist.library import Library, write_atomic
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.styles.looks import compose_prompt, find_style
from portraitist.tasks.demo import collins
from portraitist.tasks.posing import Posing, largest_face
from portraitist.tasks.sitting import Cast
from portraitist.types import Image, Pixels, Reference

ANGLES = ("yaw", "pitch", "roll")


@dataclass(frozen=True, eq=False)
class Subject:
    """Who is drawn: photos for the shape, the trigger and the adapters of their identity."""

    references: Sequence[Reference]
    trigger: str | None
    adapters: dict[str, float]


@dataclass(frozen=True)
class Row:
    """One pose at one strength. errors: degrees by angle, one a face that was found."""

    pose: str
    strength: float
    count: int
    errors: tuple[dict[str, float], ...]
    pictures: tuple[Image, ...]
    """The condition, and the first that was drawn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, help="default: the one of the environment")
    parser.add_argument("--sitter", help="whose identity draws; default: nobody's")
    parser.add_argument("--base", default="mini")
    parser.add_argument("--count", type=int, default=4, help="pictures a pose and strength")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--poses", nargs="+", default=list(poses()), choices=list(poses()))
    parser.add_argument("--sheet", type=Path, help="a picture of what was drawn")
    parsed = parser.parse_args()
    rows = list(measure(parsed))
    print_table(rows, parsed.strengths)
    if parsed.sheet is not None:
        write_sheet(rows, parsed.sheet)


def measure(parsed: argparse.Namespace) -> Iterator[Row]:
    library, base, reader = Library(parsed.library), find_base(parsed.base), FaceReader.load(Placement())
    pipeline = load_base(base, "text", library=library)
    sampling = base.sampling
    engine = TextEngine(pipeline, DrawConfig(), sampling.num_steps, sampling.guidance_scale)
    subject = subject_of(parsed, library, pipeline, base.name, reader)
    steered: TextEngine | None = None
    style = find_style("plain-front")
    for key in parsed.poses:
        posing = Posing.of(key, 1.0, subject.references, base, reader, style.prompt.phrases())
        if steered is None:
            steered = posing.steer(engine, base, Placement())
        prompt, _ = compose_prompt(posing.said_in(style), trigger=subject.trigger)
        for strength in parsed.strengths:
            drawer = replace(steered, options=replace(posing, strength=strength).options())
            images = list(draw(drawer, prompt, subject, parsed))
            found = [posing.measured(largest_face(image, reader)) for image in images]
            errors = tuple(one["error"] for one in found if one["error"] is not None)
            yield Row(key, strength, parsed.count, errors, (posing.picture, images[0]))


def draw(engine: TextEngine, prompt: str, subject: Subject, parsed: argparse.Namespace) -> Iterator[Any]:
    order = TextOrder([prompt] * parsed.count, adapters=subject.adapters)
    return (portrait.image for portrait in engine(order, seed=0))


def subject_of(
    parsed: argparse.Namespace, library: Library, pipeline: Any, base_name: str, reader: FaceReader
) -> Subject:
    if parsed.sitter is None:
        image = collins()
        return Subject([Reference(Pixels(image), max(reader.read(image), key=lambda f: f.width))], None, {})
    folder = library.sitter(parsed.sitter).identities_dir / base_name
    install(pipeline, read_lora(folder / WEIGHTS), "sitter")
    return Subject(Cast.of(library, parsed.sitter).everyone, read_identity(folder).trigger, {"sitter": 1.0})


def print_table(rows: Sequence[Row], strengths: Sequence[float]) -> None:
    """One line a pose; for each strength faces found and mean absolute errors, then the mean over poses."""
    print(
        "| pose | asked: yaw, pitch, roll | " + " | ".join(f"strength {s:g}: found, errors" for s in strengths) + " |"
    )
    print("|---|---|" + "---|" * len(strengths))
    for key in dict.fromkeys(row.pose for row in rows):
        pose = poses()[key]
        cells = [cell(row.errors, row.count) for row in rows if row.pose == key]
        print(f"| {key} | {pose.yaw:g}, {pose.pitch:g}, {pose.roll:g} | " + " | ".join(cells) + " |")
    totals = [[row for row in rows if row.strength == strength] for strength in strengths]
    cells = [cell([e for row in group for e in row.errors], sum(row.count for row in group)) for group in totals]
    print("| all | | " + " | ".join(cells) + " |")


def write_sheet(rows: Sequence[Row], path: Path) -> None:
    """Of each pose its condition, then a picture a strength."""
    pictures, captions = [], []
    for key in dict.fromkeys(row.pose for row in rows):
        own = [row for row in rows if row.pose == key]
        pictures += [own[0].pictures[0], *(row.pictures[1] for row in own)]
        captions += [key, *(f"strength {row.strength:g}" for row in own)]
    columns = 3 * len({row.strength for row in rows}) + 3
    sheet = contact_sheet(pictures, captions, columns=columns, cell=(150, 150))
    write_atomic(path, encode_image(sheet, "jpeg", quality=88))


def cell(errors: Sequence[dict[str, float]], count: int) -> str:
    means = [f"{np.mean([error[angle] for error in errors]):.1f}" if errors else "-" for angle in ANGLES]
    return f"{len(errors)}/{count}, {', '.join(means)}"


if __name__ == "__main__":
    sys.exit(main())
