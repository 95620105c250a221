"""How well `find_occluders` finds what lies over a face.

Truth: polygons drawn by hand (benchmarks/occluder_masks). IoU is taken inside the mesh's face oval, by kind and split.
False area: share of the oval marked inside its inner 80 %, on London faces with nothing before the inner face, by the
skin tone that the participants' stated ethnicity stands for. Needs the development data.

    python benchmarks/occlusion.py --data ../shared/data [--split judge]
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraitist.compose.occlusion import find_occluders, wears_glasses
from portraitist.faces.reader import FaceReader
from portraitist.faces.regions import oval_mask
from portraitist.image import open_photo
from portraitist.types import Face, Image, Mask

MASKS = Path(__file__).with_name("occluder_masks")
COVERED = {"003", "005", "045", "062", "067", "087", "101", "136"}
"""London people whose hair falls into the inner face (looked at)."""


def drawn_mask(record: dict[str, Any]) -> Mask:
    """The union of the polygons less the holes, (h, w)."""
    mask = np.zeros(record["size"], np.uint8)
    for key, value in (("polygons", 1), ("holes", 0)):
        for ring in record.get(key, []):
            cv2.fillPoly(mask, [np.round(np.array(ring) * 16).astype(np.int32)], value, cv2.LINE_8, 4)
    return mask.astype(np.float32)


def face_crop(image: Image, face: Face, margin: float = 0.35, side: int = 512) -> tuple[Image, Face, tuple[slice, slice], float]:
    """The face with a margin, at most `side` pixels; also where it was cut and the scale."""
    x0, y0, x1, y1 = face.box_xyxy
    grow = margin * max(x1 - x0, y1 - y0)
    h, w = image.shape[:2]
    left, top = max(0, int(x0 - grow)), max(0, int(y0 - grow))
    where = slice(top, min(h, int(y1 + grow))), slice(left, min(w, int(x1 + grow)))
    cut = image[where]
    scale = min(1.0, side / max(cut.shape[:2]))
    if scale < 1:
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cut), face.moved(-left, -top).scaled(scale), where, scale


def largest(reader: FaceReader, image: Image) -> Face:
    """The face the masks were drawn for."""
    return max(reader.read(image, embed=False), key=lambda face: face.width)


def overlap(reader: FaceReader, data: Path, record: dict[str, Any]) -> tuple[float, float]:
    """IoU inside the oval and the seconds it took."""
    image = open_photo(data / record["file"]).pixels()
    cut, face, where, _ = face_crop(image, largest(reader, image))
    truth = cv2.resize(drawn_mask(record)[where], cut.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    start = time.perf_counter()
    found = find_occluders(cut, face) > 0.5
    seconds = time.perf_counter() - start
    oval = oval_mask(face, (cut.shape[0], cut.shape[1])) > 0.5
    union = (found | truth) & oval
    return float((found & truth & oval).sum() / max(union.sum(), 1)), seconds


def false_area(image: Image, face: Face) -> float:
    """Share of the oval marked within its inner 80 %."""
    cut, small, _, _ = face_crop(image, face)
    size = cut.shape[0], cut.shape[1]
    oval = oval_mask(small, size) > 0.5
    middle = small.centre
    inner = small.landmarks.copy()
    inner[:, :2] = middle + (inner[:, :2] - middle) * 0.8
    core = oval_mask(Face(small.box_xyxy, inner, 1, 1, small.pose), size) > 0.5
    return float(((find_occluders(cut, small) > 0.5) & core).sum() / max(oval.sum(), 1))


def false_areas(reader: FaceReader, data: Path, split: str | None) -> dict[str, list[tuple[float, str, bool]]]:
    """By stated ethnicity: (area, file, said to wear glasses) of each London face with a clear inner face."""
    splits = read_splits(data)
    with (data / "faces/london/info.csv").open() as file:
        people = {row[next(iter(row))].lstrip("x").zfill(3)[-3:]: row for row in csv.DictReader(file)}
    groups: dict[str, list[tuple[float, str, bool]]] = defaultdict(list)
    for path in sorted((data / "faces/london").glob("*.jpg")):
        number, name = path.stem[:3], f"faces/london/{path.name}"
        if number in COVERED or (split and splits.get(name) != split):
            continue
        image = open_photo(path).pixels()
        face = largest(reader, image)
        row = people.get(number, {})
        group = next((v for k, v in row.items() if "eth" in k.lower()), "?")
        groups[group].append((false_area(image, face), path.name, wears_glasses(image, face)))
    return groups


def read_splits(data: Path) -> dict[str, str]:
    """File -> tune or judge."""
    with (data / "SPLIT.csv").open() as file:
        return {row["file"]: row["split"] for row in csv.DictReader(file)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--split", choices=("tune", "judge"), help="only this side")
    options = parser.parse_args()
    reader = FaceReader.load()
    table: dict[tuple[str, str], list[float]] = defaultdict(list)
    times = []
    for path in sorted(MASKS.glob("*.json")):
        record = json.loads(path.read_text())
        if options.split and record["split"] != options.split:
            continue
        iou, seconds = overlap(reader, options.data, record)
        table[record["kind"], record["split"]].append(iou)
        times.append(seconds)
        print(f"{record['kind']:8} {record['split']:5} {iou:.3f}  {record['file']}")
    for (kind, split), values in sorted(table.items()):
        good = sum(v >= 0.8 for v in values)
        print(f"{kind:8} {split:5} n={len(values):2} mean {np.mean(values):.3f} median {np.median(values):.3f} >=0.8: {good}")
    everything = [v for values in table.values() for v in values]
    print(f"all n={len(everything)} mean {np.mean(everything):.3f}, >=0.8: {sum(v >= 0.8 for v in everything)}")
    print(f"time: median {1000 * np.median(times):.0f} ms a crop of at most 512 px")
    for group, areas in sorted(false_areas(reader, options.data, options.split).items()):
        values = [a for a, _, _ in areas]
        worst = max(areas)
        print(
            f"false area {group:18} n={len(values):2} mean {100 * np.mean(values):.2f} % max {100 * worst[0]:.2f} % "
            f"({worst[1]}), glasses seen on {sum(g for _, _, g in areas)}"
        )


if __name__ == "__main__":
    main()
