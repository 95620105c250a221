"""Pictures of a generator: numbered PNG files and a sheet. Number i depends on the seed and i alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file")
    parser.add_argument("--count", type=int, default=48, help="pictures")
    parser.add_argument("--psi", type=float, default=0.7, help="truncation: 1 as learned, 0 the mean face")
    parser.add_argument("--seed", type=int, default=0, help="of the latents")
    parser.add_argument("--out", type=Path, help="folder (default: RUN/samples)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the pictures."""
    from portraitist.image import encode_image
    from portraitist.library import write_atomic
    from portraitist.pages.sheets import contact_sheet
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.sample import sample

    trained = load_generator(asked.source)
    pictures = sample(trained.generator, asked.count, seed=asked.seed, psi=asked.psi)
    folder = asked.out or asked.run / "samples"
    for i, picture in enumerate(pictures):
        write_atomic(folder / f"{i:05d}.png", encode_image(picture, "png"))
    side = trained.size.side
    sheet = contact_sheet(list(pictures), columns=8, cell=(side, side))
    report(Step("samples", message=f"! {write_atomic(folder / 'sheet.png', encode_image(sheet, 'png'))}"))
