"""What painters do, on judge faces: the tables of docs/stylize.md.

    python -m benchmarks.stylize --data ../shared/data [--painter NAME ...] [--library DIR] [--faces 12] [--parts faces]

Without --painter every painter that is here. --faces: most of each folder. --films: faces that are filmed. --json
keeps the records, beside those of other parts that the file has of the same network: rates are to be taken alone. KID
needs portraitist[diffusion] and the EfficientNet of recipes/features.py.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stylize_faces import (
    HERE,
    Judged,
    Remembering,
    framed_small,
    hidden,
    judged_faces,
    measured,
    on_grey,
    table,
)
from benchmarks.stylize_video import live_rate, steadiness
from portraitist.faces.reader import FaceReader
from portraitist.image import encode_image, open_photo
from portraitist.library import Library
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.engine import PaintEngine
from portraitist.tasks.painters import Painter, find_painter, painters

_SPEED_SIDE, _RUNS = 512, 200


def main() -> None:
    asked = arguments()
    library, reader = Library(asked.library), FaceReader.load(HERE)
    chosen = [find_painter(library, name) for name in asked.painter] or list(painters(library))
    faces = list(judged_faces(asked.data, reader, asked.faces))
    kept = asked.json is not None and asked.json.is_file()
    report: dict[str, Any] = json.loads(asked.json.read_text()) if kept else {}
    for painter in chosen:
        print(f"\n## {painter.name}, {len(faces)} judge faces\n")
        network = "" if painter.file is None else painter.file.card.sha256
        if report.get(painter.name, {}).get("network") != network:
            report[painter.name] = {"network": network, "printed": {}}
        for part in asked.parts:
            found = PARTS[part](painter, faces, reader, asked)
            report[painter.name][part] = found
            report[painter.name]["printed"][part] = lines(part, found)
            print("\n".join(lines(part, found)), flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(report, indent=1, default=str))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--painter", action="append", default=[])
    parser.add_argument("--library", type=Path)
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--films", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def lines(part: str, found: Any) -> list[str]:
    """What is printed of one part."""
    if part == "faces":
        same, steps = [r["same_outside"] for r in found], [r["monotone_pixels"] for r in found]
        grid = [r["grid"] for r in found]
        tail = f"outside the region identical: {all(same)}; strength moves pixels in every step: {np.mean(steps):.2f}"
        return [*table(found), "", f"{tail}; grid ratio: median {np.median(grid):.3f}, largest {max(grid):.3f}"]
    return [f"{part}: " + ", ".join(f"{name} {value}" for name, value in found.items())]


def faces_part(painter: Painter, faces: list[Judged], reader: FaceReader, asked: argparse.Namespace) -> Any:
    """A record for each face."""
    engine = PaintEngine(Remembering(painter.build(PaintConfig(), HERE).painter), PaintConfig(), HERE)
    return [measured(judged, engine, reader) for judged in faces]


def speed_part(painter: Painter, faces: list[Judged], reader: FaceReader, asked: argparse.Namespace) -> dict[str, Any]:
    """Frames a second of the painter alone at 512 x 512, two threads; seconds to the first picture, from loading the
    painter, and of the whole command in a new process."""
    started = time.perf_counter()
    engine = painter.build(PaintConfig(), HERE)
    frame = np.random.default_rng(0).integers(0, 256, (_SPEED_SIDE, _SPEED_SIDE, 3), dtype=np.uint8)
    engine.painter(frame)
    first = time.perf_counter() - started
    times = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        engine.painter(frame)
        times.append(time.perf_counter() - begun)
    found: dict[str, Any] = {"frames/s at 512": round(1 / statistics.median(times), 1), "first, s": round(first, 2)}
    return found | {"command, s": round(_command(painter, faces[0], asked), 2)}


def _command(painter: Painter, judged: Judged, asked: argparse.Namespace) -> float:
    """Wall seconds of `portraitist stylize` for one photo."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        photo.write_bytes(encode_image(judged.image, "png"))
        where = str(painter.name if painter.file is None else painter.file.folder)
        command = [sys.executable, "-m", "portraitist", "stylize", str(photo), "--painter", where]
        command += ["--out", str(Path(folder) / "out.png")]
        command += ["--library", str(asked.library)] if asked.library else []
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def video_part(painter: Painter, faces: list[Judged], reader: FaceReader, asked: argparse.Namespace) -> dict[str, Any]:
    """Flicker in grey levels, and frames a second from end to end."""
    some = faces[:: max(1, len(faces) // asked.films)][: asked.films]
    found = {}
    for moves in (True, False):
        steady = [steadiness(judged, painter, reader, moves=moves) for judged in some]
        found |= {f"flicker {name}": round(float(np.mean([s[name] for s in steady])), 2) for name in steady[0]}
    rates = {f"live frames/s, {area}": round(live_rate(some[0], painter, reader, area), 1) for area in ("face", "head")}
    return {**found, **rates}


def privacy_part(
    painter: Painter, faces: list[Judged], reader: FaceReader, asked: argparse.Namespace
) -> dict[str, Any]:
    """How many faces a recogniser no longer knows, and at which level of disguise."""
    records = [hidden(judged, painter, reader) for judged in faces]
    levels = np.bincount([record["level"] for record in records])
    share = np.mean([record["hidden"] for record in records])
    distances = [record["distance"] for record in records]
    found = {"distance over 0.7": round(float(share), 3), "smallest": min(distances)}
    return found | {"median": round(float(np.median(distances)), 3), "faces at level": levels.tolist()}


def style_part(painter: Painter, faces: list[Judged], reader: FaceReader, asked: argparse.Namespace) -> dict[str, Any]:
    """KID of what is painted, and of the photos, against the style set's judge pictures: heads on grey, as drawings
    have plain backgrounds and paintings keep the photo's."""
    if painter.file is None or not painter.file.card.style:
        return {"KID": "no style set to hold it against"}
    from recipes.features import EfficientNetLite0, picture_features
    from recipes.mini.measures.distribution import kid
    from recipes.painters.sources import domain_sources

    source = domain_sources(asked.data)[painter.file.card.style.removeprefix("dicebear_")]
    frame = source.frame()
    drawings = [each for path, _ in source.pictures("judge") for each in frame(open_photo(path).pixels(), 256)]
    engine, network = painter.build(PaintConfig(), HERE), EfficientNetLite0.load()
    pairs = [framed_small(judged, engine) for judged in faces]
    style, photos, made = (
        picture_features(network, [on_grey(image) for image in images])
        for images in (drawings, [p for p, _ in pairs], [m for _, m in pairs])
    )
    ours, before = kid(made, style), kid(photos, style)
    ratio = round(ours.value / before.value, 3)
    return {"KID x 1000": round(1000 * ours.value, 1), "of photos": round(1000 * before.value, 1), "ratio": ratio}


PARTS = {"faces": faces_part, "speed": speed_part, "video": video_part, "privacy": privacy_part, "style": style_part}

if __name__ == "__main__":
    main()
