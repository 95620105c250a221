"""Exact pairs by classical rendering: RUN/pairs, photos of the tune split drawn in pencil, coloured pencil or ink."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.progress import Report, Step
from portraitist.stylize.config import PENCILS

if TYPE_CHECKING:
    from portraitist.faces.reader import FaceReader
    from portraitist.stylize.pairs import Pair
    from portraitist.stylize.pencil import PencilPainter

LEAST_PART = 0.3
"""A face is left out when it is narrower than this part of the frame's side."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--data", type=Path, required=True, help="development data with SPLIT.csv")
    parser.add_argument("--domain", default="permissive", help="whose photos (default permissive)")
    parser.add_argument("--medium", choices=PENCILS, default=PENCILS[0], help="what it is drawn with")
    parser.add_argument("--grain", type=float, default=0.0, help="how much paper and strokes show (default 0)")
    parser.add_argument("--side", type=int, default=512, help="side of the frame (px, default 512)")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Draw the photos that are not drawn yet. Strokes lie where the frame says, which no network of small windows can
    know: pairs for a student go without grain."""
    from portraitist.faces.reader import FaceReader
    from portraitist.stylize.config import PencilConfig
    from portraitist.stylize.pairs import PAINTED, PairFolder, PairNote, write_note, write_pair
    from portraitist.stylize.pencil import PART, PencilPainter
    from recipes.painters.sources import domain_sources

    source, folder, reader = domain_sources(asked.data)[asked.domain], asked.run / "pairs", FaceReader.load()
    painter = PencilPainter(PencilConfig(medium=asked.medium, grain=asked.grain))
    pictures = source.pictures("tune")
    for number, (path, name) in enumerate(pictures, start=1):
        report(Step("render", number, len(pictures), name))
        stem = name.replace("/", "-").rsplit(".", 1)[0]
        if not (folder / PAINTED / f"{stem}.png").is_file():
            pair = _pair(path, stem, asked.side, painter, reader, report)
            if pair is not None:
                write_pair(folder, pair)
    note = source.note
    facts = {"part": PART, "noncommercial": note.noncommercial, "attributions": (note.attribution,), "is_exact": True}
    title = f"{note.title}, drawn with {asked.medium}"
    write_note(folder, PairNote(title, f"classical rendering ({asked.medium})", note.licence, **facts))
    report(Step("render", message=f"! {len(PairFolder.open(folder))} pairs of {len(pictures)} photos"))


def _pair(path: Path, name: str, side: int, painter: PencilPainter, reader: FaceReader, report: Report) -> Pair | None:
    """None, and said why, where there is no face that is large enough."""
    from portraitist.errors import InputError
    from portraitist.faces.align import align_portrait
    from portraitist.image import open_photo
    from portraitist.stylize.pairs import Pair

    try:
        image = open_photo(path).pixels()
    except InputError as error:
        report(Step("render", message=f"! {name}: {error}"))
        return None
    face = max(reader.read(image, embed=False), key=lambda found: found.width, default=None)
    if face is None or face.width < LEAST_PART * side:
        report(Step("render", message=f"! {name}: no face, or too small a one"))
        return None
    framed = align_portrait(image, face.landmarks, side, part=painter.part)[0]
    return Pair(name, framed, painter(framed).image)
