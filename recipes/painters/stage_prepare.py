"""Pictures to domains: RUN/domains/SIDE/NAME.npz of the tune split, NAME-judge.npz of the judge split."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.errors import InputError
from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--data", type=Path, required=True, help="development data with SPLIT.csv and style/")
    parser.add_argument("--side", type=int, default=64, help="side of the frame (px, default 64)")
    parser.add_argument("--only", nargs="+", default=[], metavar="DOMAIN", help="these domains instead of all")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the domains that are not there yet."""
    from portraitist.stylize.domain import save_domain
    from portraitist.stylize.framing import frame_pictures
    from recipes.painters.sources import SPLITS, domain_sources

    wanted = domain_sources(asked.data)
    unknown = sorted(set(asked.only) - set(wanted))
    if unknown:
        raise InputError(f"prepare: no domain {', '.join(unknown)}; there are {', '.join(wanted)}")
    for name in asked.only or wanted:
        for split in SPLITS:
            path = domain_path(asked.run, asked.side, name, split)
            if path.is_file():
                continue
            source = wanted[name]
            pictures = source.pictures(split)
            domain = frame_pictures(name, pictures, source.frame(), asked.side, source.note, report)
            save_domain(path, domain)
            report(Step("prepare", message=f"! {path.name}: {len(domain)} pictures of {asked.side} px"))


def domain_path(run: Path, side: int, name: str, split: str = "tune") -> Path:
    """Where a prepared domain lies in the run's folder."""
    return run / "domains" / str(side) / (f"{name}.npz" if split == "tune" else f"{name}-{split}.npz")
