"""Named directions of a generator (eye size, iris, lips, skin tone): found and measured on the mesh, with a sheet."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from portraitist.progress import Report, Step

STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file whose samples show faces")
    parser.add_argument("--count", type=int, default=400, help="samples to find them on")
    parser.add_argument("--measured", type=int, default=40, help="other samples to measure them on")
    parser.add_argument("--out", type=Path, help="JSON (default: RUN/directions.json); the sheet lies beside it")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Write directions, what each did, and a sheet of one person moved along each."""
    import numpy as np

    from portraitist.faces.reader import FaceReader
    from portraitist.image import encode_image
    from portraitist.library import write_atomic, write_json
    from portraitist.pages.sheets import contact_sheet
    from portraitist.stylize.generator.directions import find_directions, measure_directions
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.sample import pictures_of, sample_latents
    from portraitist.stylize.generator.traits import TRAITS, FaceTraits

    generator, measure = load_generator(asked.source).generator, FaceTraits(FaceReader.load())
    found = find_directions(generator, measure, TRAITS, count=asked.count, report=report)
    effects = measure_directions(generator, found, measure, count=asked.measured, report=report)
    vectors = dict(zip(found.names, found.vectors.tolist(), strict=True))
    plain = {"deviations": found.deviations, "vectors": vectors, "effects": {n: asdict(e) for n, e in effects.items()}}
    path = write_json(asked.out or asked.run / "directions.json", plain)
    w = sample_latents(generator, 1, seed=7)
    rows = [pictures_of(generator, found.edit(w, {name: step})) for name in found.names for step in STEPS]
    captions = [f"{name} {step:+g}" for name in found.names for step in STEPS]
    sheet = contact_sheet(list(np.concatenate(rows)), captions, columns=len(STEPS), cell=(128, 128))
    write_atomic(path.with_suffix(".png"), encode_image(sheet, "png"))
    told = ", ".join(f"{name} {effect.gain:+.2f}" for name, effect in effects.items())
    report(Step("directions", message=f"! {path}: change of the own trait for a step of 1: {told}"))
