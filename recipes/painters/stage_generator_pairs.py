"""Pairs from stage 1 alone: the same latents through the source and through a blend, for a student (route 1 to 3)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.progress import Report, Step

if TYPE_CHECKING:
    from portraitist.stylize.generator.generator_file import TrainedGenerator
    from portraitist.stylize.pairs import PairNote


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
    parser.add_argument("--out", type=Path, help="folder of pairs (default: RUN/generator-pairs)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the folder; pairs already there are made anew."""
    from portraitist.stylize.generator.blend import Curve, blend
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.sample import pictures_of, sample_latents
    from portraitist.stylize.pairs import Pair, write_note, write_pair

    source, style = load_generator(asked.source), load_generator(asked.style)
    blended = blend(source, [(style, Curve(asked.swap_side, asked.softness))])
    folder = asked.out or asked.run / "generator-pairs"
    latents = sample_latents(source.generator, asked.count, seed=1, psi=asked.psi)
    for i in range(asked.count):
        photo, painted = (pictures_of(each.generator, latents[i : i + 1])[0] for each in (source, blended))
        write_pair(folder, Pair(f"{i:05d}", photo, painted, None))
        report(Step("generator-pairs", i + 1, asked.count))
    write_note(folder, _note(blended, asked.domain))
    report(Step("generator-pairs", message=f"! {folder}: {asked.count} pairs"))


def _note(blended: TrainedGenerator, domain: str) -> PairNote:
    """Made faces are no photos of anybody; what they were learned from stays said."""
    from portraitist.stylize.pairs import PairNote

    learned = blended.origin.learned
    return PairNote(
        f"made faces, painted like {learned[-1].title}",
        "; ".join(blended.origin.steps),
        "; ".join(dict.fromkeys(note.licence for note in learned)),
        noncommercial=blended.origin.noncommercial,
        style=domain,
        stages=("generator",),
        attributions=tuple(dict.fromkeys(note.attribution for note in learned if note.attribution)),
    )
