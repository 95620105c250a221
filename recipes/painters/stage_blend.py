"""A blend of a source with one or more styles as a generator file: to sample, to pick from, to blend again."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.errors import InputError
from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file that decides below the swap")
    parser.add_argument("--style", type=Path, required=True, nargs="+", help="generator files of styles")
    parser.add_argument("--swap-side", type=float, nargs="+", default=[16.0], help="one, or one a style (px)")
    parser.add_argument("--strength", type=float, nargs="+", default=[1.0], help="one, or one a style, 0 to 1")
    parser.add_argument("--softness", type=float, default=1.0, help="of the transition, in doublings; 0: hard")
    parser.add_argument("--coarse", action="store_true", help="the other way round: styles below, the source above")
    parser.add_argument("--out", type=Path, required=True, help="the generator file to write")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the file."""
    from portraitist.stylize.generator.blend import Curve, blend
    from portraitist.stylize.generator.generator_file import load_generator, save_generator

    count = len(asked.style)
    sides, strengths = _each(asked.swap_side, count, "swap-side"), _each(asked.strength, count, "strength")
    curves = [
        Curve(*each, coarse=asked.coarse) for each in zip(sides, [asked.softness] * count, strengths, strict=True)
    ]
    styles = [load_generator(path) for path in asked.style]
    blended = blend(load_generator(asked.source), list(zip(styles, curves, strict=True)))
    report(Step("blend", message=f"! {save_generator(asked.out, blended)}"))


def _each(values: list[float], count: int, flag: str) -> list[float]:
    if len(values) not in (1, count):
        raise InputError(f"--{flag}: expected one value, or one for each of {count} styles; found {len(values)}")
    return values * count if len(values) == 1 else values
