"""Pairs from RUN/translate for a student: RUN/pairs, those without a face or with another one left out."""

from __future__ import annotations

import argparse

from portraitist.cli.flags import add_flags, given
from portraitist.progress import Report, Step
from portraitist.stylize.lift import LIGHT_ENOUGH
from portraitist.stylize.pairs_config import PairFilterConfig
from recipes.painters.stage_translate import add_shared_arguments, chosen_preset, hints_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    add_shared_arguments(parser)
    parser.add_argument("--keeper", default=argparse.SUPPRESS, help="the one the translator was trained with")
    parser.add_argument("--count", type=int, help="at most so many photos, evenly taken (default: all)")
    parser.add_argument("--crisp", action="store_true", help="enlarge paintings with crisp borders: for flat drawings")
    parser.add_argument(
        "--lift", type=float, default=LIGHT_ENOUGH, help="L* to which darker faces are lifted while painted; 0: none"
    )
    add_flags(parser, PairFilterConfig, "filter")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Paint every photo of the tune split, then filter."""
    from portraitist.faces.reader import FaceReader
    from portraitist.stylize.domain import load_domain
    from portraitist.stylize.pairs_filter import filter_pairs
    from portraitist.stylize.translate.paint import note_of, trained_translator, write_pairs
    from recipes.painters.stage_prepare import domain_path

    folder, preset = asked.domains or asked.run, chosen_preset(asked)
    photos, drawings = (
        load_domain(domain_path(folder, asked.domain_side, name)) for name in (asked.photos, asked.style)
    )
    if asked.count is not None:
        photos = photos.among(range(0, len(photos), max(1, len(photos) // asked.count)), asked.count)
    hints = hints_of(asked)
    note = note_of(photos.note, drawings.note, asked.style, None if hints is None else hints.note)
    network = trained_translator(asked.run / "translate", preset)
    out, side = asked.run / "pairs", preset.size.side
    pairs = write_pairs(network, photos, out, note, side, crisp=asked.crisp, lift=asked.lift, report=report)
    kept = filter_pairs(pairs, given(asked, PairFilterConfig), FaceReader.load(), report=report)
    report(Step("pairs", message=f"! {len(kept)} of {len(pairs)} pairs kept"))
