"""Super-resolution and restoration: seconds, seams, memory, and whether they bring a face nearer to the clean one.

python benchmarks/upscale.py ../shared/data [--json FILE]
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from portraitist.faces.reader import FaceReader
from portraitist.retouch.restore import restore
from portraitist.retouch.upscale import MODELS, Upscaler
from portraitist.types import Face, Image


def main() -> None:
    """Print the tables, and write them with --json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    reader = FaceReader.load()
    people = [_face_at(path, reader, 512) for path in _judge_people(options.data)[: options.people]]
    rows: dict[str, Any] = {
        "restore": [_restored(people, reader, *spoilt) for spoilt in ((2.0, 2.0), (3.0, 2.0), (0.0, 12.0), (2.0, 8.0))]
    }
    rows["upscale"] = [_upscaled(people, reader, model) for model in MODELS[::-1]]
    print(json.dumps(rows, indent=1))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def _judge_people(data: Path) -> list[Path]:
    with (data / "SPLIT.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "judge" and r["file"].startswith("faces/london")]
    return [data / r["file"] for r in rows if "neutral" in r["file"]][::5]


def _face_at(path: Path, reader: FaceReader, side: int) -> tuple[Image, Face]:
    image = np.asarray(PillowImage.open(path).convert("RGB"))
    small = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    return small, max(reader.read(small), key=lambda face: face.width)


def _psnr(a: Image, b: Image) -> float:
    return float(10 * np.log10(255**2 / max(float(np.mean((a.astype(float) - b) ** 2)), 1e-9)))


def _distance(image: Image, face: Face, reader: FaceReader) -> float:
    assert face.embedding is not None
    return face.embedding.distance(reader.embed(image, face))


def _restored(people: list[tuple[Image, Face]], reader: FaceReader, blur: float, noise: float) -> dict[str, float]:
    """Means over the people: PSNR in dB and distance to the clean face, before and after, mix 0.5."""
    rows = []
    for image, face in people:
        soft = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
        poor = np.clip(soft + np.random.default_rng(0).normal(0, noise, image.shape), 0, 255).astype(np.uint8)
        better = restore(poor)
        found = [
            _psnr(poor, image),
            _psnr(better, image),
            _distance(poor, face, reader),
            _distance(better, face, reader),
        ]
        rows.append(found)
    names = ("psnr_before", "psnr_after", "distance_before", "distance_after")
    means = {
        name: round(statistics.mean(values), 3) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    return {"blur_px": blur, "noise_levels": noise, **means}


def _upscaled(people: list[tuple[Image, Face]], reader: FaceReader, model: str) -> dict[str, Any]:
    """A 96 px face crop enlarged twice against the clean 192 px one; seconds for a megapixel of input."""
    upscaler = Upscaler.load(model)
    near: dict[str, list[float]] = {"bicubic": [], "network": []}
    seconds, seams = [], []
    for image, face in people:
        x, y = (int(v) for v in face.centre)
        half = max(64, int(face.width * 0.75))
        clean = np.ascontiguousarray(image[max(0, y - half) : y + half, max(0, x - half) : x + half])
        clean = np.asarray(cv2.resize(clean, (192, 192), interpolation=cv2.INTER_AREA), np.uint8)
        truth = max(reader.read(clean), key=lambda f: f.width)
        small = np.asarray(cv2.resize(clean, (96, 96), interpolation=cv2.INTER_AREA), np.uint8)
        start = time.perf_counter()
        whole = upscaler(small, 2)
        seconds.append((time.perf_counter() - start) / small[..., 0].size * 1e6)
        near["network"].append(_distance(whole, truth, reader))
        near["bicubic"].append(
            _distance(np.asarray(cv2.resize(small, (192, 192), interpolation=cv2.INTER_CUBIC)), truth, reader)
        )
        seams.append(float(np.abs(whole.astype(int) - upscaler(small, 2, tile=64)).mean()))
    return {
        "model": model,
        "seconds_a_megapixel_of_input": round(statistics.median(seconds), 1),
        "distance_to_clean_face": {name: round(statistics.mean(values), 3) for name, values in near.items()},
        "tiled_against_whole_levels": round(statistics.mean(seams), 3),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
