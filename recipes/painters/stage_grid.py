"""Identity against richness: the same people through blends from source to style, a sheet with what each costs."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file that knows photos")
    parser.add_argument("--style", type=Path, required=True, help="generator file of the style")
    parser.add_argument("--people", type=int, default=6, help="rows")
    parser.add_argument("--out", type=Path, help="sheet (default: RUN/grid.png); figures lie beside it")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write the sheet and its figures."""
    import cv2
    import numpy as np

    from portraitist.faces.reader import FaceReader
    from portraitist.image import encode_image
    from portraitist.library import write_atomic, write_json
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.sample import sample_latents
    from portraitist.stylize.generator.trade_off import trade_off, trade_off_sheet, usual_curves
    from portraitist.types import Embedding, Image

    reader, side = FaceReader.load(), 256

    def embedding(image: Image) -> Embedding | None:
        large = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        faces = reader.read(large)
        return max(faces, key=lambda face: face.width).embedding if faces else None

    def distance(one: Image, other: Image) -> float | None:
        first, second = embedding(one), embedding(other)
        return None if first is None or second is None else first.distance(second)

    source, style = load_generator(asked.source), load_generator(asked.style)
    latents = sample_latents(source.generator, asked.people, seed=3)
    columns = trade_off(source, style, latents, usual_curves(source.size.side), distance)
    path = write_atomic(asked.out or asked.run / "grid.png", encode_image(trade_off_sheet(columns), "png"))
    rows = [{"setting": c.caption, "distance": c.distance, "seen": c.seen, "richness": c.richness} for c in columns]
    write_json(path.with_suffix(".json"), rows)
    report(Step("grid", message=f"! {path}"))
