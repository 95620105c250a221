"""Time and error of the head-shot matte.

    python benchmarks/matte.py ../shared/data [--json FILE]

Three tables: seconds a stage at 1024 px (London, judge side); error of the matte solved at 512 px and refined against
the solve at full size, inside the unknown band; error against a known matte, of people cut from the studio and put
before photos (the known matte is the full solve over the plain studio wall, so it is itself an estimate).
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from portraitist.faces.reader import FaceReader
from portraitist.retouch.matte import (
    PersonSegmenter,
    estimate_foreground,
    estimate_matte_closed_form,
    estimate_matte_grabcut,
    person_trimap,
)
from portraitist.types import Face, Image, Mask


def main() -> None:
    """Print the tables, and write them with --json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    reader, segmenter = FaceReader.load(), PersonSegmenter.load()
    people = [_read(path, reader) for path in _judge_people(options.data)[: options.people]]
    rows = {"speed": _speed(people, segmenter), "refined": _refined(people, segmenter)}
    rows["known"] = _known(people, options.data, segmenter)
    print(json.dumps(rows, indent=1))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def _judge_people(data: Path) -> list[Path]:
    with (data / "SPLIT.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "judge" and r["file"].startswith("faces/london")]
    return [data / r["file"] for r in rows if "smiling" in r["file"]][::4]


def _read(path: Path, reader: FaceReader) -> tuple[Image, Face]:
    image = np.asarray(PillowImage.open(path).convert("RGB"))
    return image, max(reader.read(image, embed=False), key=lambda face: face.width)


def _speed(people: list[tuple[Image, Face]], segmenter: PersonSegmenter) -> dict[str, float]:
    """Median seconds at 1024 px, models loaded; `processor` is time of all cores, untouched by other programs."""
    stages: dict[str, list[float]] = {"trimap": [], "matte": [], "foreground": [], "together": [], "processor": []}
    for image, face in people:
        busy, start = time.process_time(), time.perf_counter()
        trimap = person_trimap(image, face, segmenter)
        known = time.perf_counter()
        matte = estimate_matte_closed_form(image, trimap)
        solved = time.perf_counter()
        estimate_foreground(image, matte)
        end = time.perf_counter()
        spans = (known - start, solved - known, end - solved, end - start, time.process_time() - busy)
        for name, seconds in zip(stages, spans, strict=True):
            stages[name].append(seconds)
    return {name: round(statistics.median(values), 3) for name, values in stages.items()}


def _refined(people: list[tuple[Image, Face]], segmenter: PersonSegmenter) -> dict[str, Any]:
    """Mean absolute error in the unknown band against the solve at full size, and how long that takes."""
    errors, seconds, plain = [], [], []
    for image, face in people[:4]:
        trimap = person_trimap(image, face, segmenter)
        start = time.perf_counter()
        full = estimate_matte_closed_form(image, trimap, solved_side=max(image.shape[:2]))
        seconds.append(time.perf_counter() - start)
        band = (trimap > 0) & (trimap < 1)
        errors.append(float(np.abs(estimate_matte_closed_form(image, trimap) - full)[band].mean()))
        half = (image.shape[1] // 2, image.shape[0] // 2)
        small = estimate_matte_closed_form(
            cv2.resize(image, half, interpolation=cv2.INTER_AREA),
            np.asarray(cv2.resize(trimap, half, interpolation=cv2.INTER_NEAREST), np.float32),
        )
        enlarged = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        plain.append(float(np.abs(enlarged - full)[band].mean()))
    return {
        "mean_error_in_band": round(statistics.mean(errors), 4),
        "without_guided_upsampling": round(statistics.mean(plain), 4),
        "full_solve_seconds": round(statistics.median(seconds), 2),
    }


def _known(people: list[tuple[Image, Face]], data: Path, segmenter: PersonSegmenter) -> dict[str, float]:
    """Mean absolute error over the picture, people put before photos without people."""
    import skimage.data

    places = [
        np.asarray(PillowImage.open(p).convert("RGB")) for p in sorted((data / "hard/azure_mit").glob("no_face_*"))[1:3]
    ]
    places += [skimage.data.coffee(), skimage.data.rocket()]
    errors: dict[str, list[float]] = {"closed_form": [], "grabcut": [], "trimap_belief": [], "foreground_levels": []}
    for index, (image, face) in enumerate(people):
        truth = estimate_matte_closed_form(
            image, person_trimap(image, face, segmenter), solved_side=max(image.shape[:2])
        )
        front = estimate_foreground(image, truth)
        composite = _put(front, truth, places[index % len(places)])
        trimap = person_trimap(composite, face, segmenter)
        matte = estimate_matte_closed_form(composite, trimap)
        errors["closed_form"].append(float(np.abs(matte - truth).mean()))
        errors["grabcut"].append(float(np.abs(estimate_matte_grabcut(composite, trimap) - truth).mean()))
        errors["trimap_belief"].append(float(np.abs(trimap - truth).mean()))
        mixed = (truth > 0.1) & (truth < 0.95)
        found = estimate_foreground(composite, truth)
        errors["foreground_levels"].append(float(np.abs(found.astype(float) - front)[mixed].mean()))
    return {name: round(statistics.mean(values), 4) for name, values in errors.items()}


def _put(front: Image, matte: Mask, place: Image) -> Image:
    side = min(place.shape[:2])
    behind = cv2.resize(place[:side, :side], matte.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.round(front * matte[..., None] + behind * (1 - matte[..., None])).astype(np.uint8)


if __name__ == "__main__":
    main()
