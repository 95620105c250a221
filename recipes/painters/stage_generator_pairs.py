"""Pairs from stage 1: the same latents through the source and a blend; hints for stage 2, or for a student at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file that knows photos")
    parser.add_argument("--style", type=Path, required=True, help="generator file of the style")
    parser.add_argument("--domain", default="", help="name of the style's domain, for the note")
    parser.add_argument("--count", type=int, default=500, help="pairs")
    parser.add_argument("--psi", type=float, default=0.8, help="truncation")
    parser.add_argument(
        "--swap-side", type=float, default=16, help="the style from this side on, the source below (px)"
    )
    parser.add_argument("--softness", type=float, default=1.0, help="of the transition, in doublings; 0: hard")
    parser.add_argument("--strength", type=float, default=1.0, help="the style's weight there, 0 to 1")
    parser.add_argument("--out", type=Path, help="folder of pairs (default: RUN/generator-pairs)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the folder; pairs already there are made anew."""
    from portraitist.stylize.generator.blend import Curve
    from portraitist.stylize.generator.blend_pairs import write_blend_pairs
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.pairs import OF_GENERATOR

    source, style = load_generator(asked.source), load_generator(asked.style)
    curve = Curve(asked.swap_side, asked.softness, asked.strength)
    told = {"curve": curve, "psi": asked.psi, "domain": asked.domain}
    pairs = write_blend_pairs(source, style, asked.out or asked.run / OF_GENERATOR, asked.count, **told, report=report)
    report(Step("generator-pairs", message=f"! {pairs.path}: {len(pairs)} pairs"))
