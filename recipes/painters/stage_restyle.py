"""Photos inverted and painted by a style's generator: a sheet of photo, inversion and style, and how close it came."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.cli.flags import add_flags, given
from portraitist.progress import Report, Step
from portraitist.stylize.generator.config import InvertConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file that knows photos")
    parser.add_argument("--style", type=Path, required=True, help="generator file of the style")
    parser.add_argument("--domain", default="omi", help="prepared photos")
    parser.add_argument("--split", default="judge", help="tune or judge")
    parser.add_argument("--count", type=int, default=8, help="photos")
    parser.add_argument("--encoder", default="encoder", help="run of the encoder in RUN; without one: the mean latent")
    parser.add_argument(
        "--swap-side", type=float, default=16, help="the style from this side on, the source below (px)"
    )
    parser.add_argument("--softness", type=float, default=1.0, help="of the transition, in doublings; 0: hard")
    parser.add_argument("--out", type=Path, help="sheet (default: RUN/restyled.png)")
    add_flags(parser, InvertConfig, "inversion")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the sheet and, beside it, a JSON with the decibels."""
    from portraitist.image import encode_image
    from portraitist.library import write_atomic, write_json
    from portraitist.pages.sheets import contact_sheet
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.generator.blend import Curve, blend
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.invert import invert, restyle
    from recipes.painters.stage_encoder import trained_encoder
    from recipes.painters.stage_prepare import domain_path

    source, style = load_generator(asked.source), load_generator(asked.style)
    photos = load_domain(domain_path(asked.run, source.size.side, asked.domain, asked.split)).images[: asked.count]
    encoder = trained_encoder(asked.run / asked.encoder, source)
    found = invert(source, photos, given(asked, InvertConfig), encoder=encoder, report=report)
    blended = blend(source, [(style, Curve(asked.swap_side, asked.softness))])
    rows = [photos, restyle(source, found.latents), restyle(blended, found.latents), restyle(style, found.latents)]
    sheet = contact_sheet([image for row in rows for image in row], columns=len(photos), cell=(128, 128))
    path = write_atomic(asked.out or asked.run / "restyled.png", encode_image(sheet, "png"))
    write_json(path.with_suffix(".json"), {"started": found.started.tolist(), "reached": found.reached.tolist()})
    text = f"! {path}: {found.started.mean():.1f} dB at first, {found.reached.mean():.1f} dB after"
    report(Step("restyle", message=text))
