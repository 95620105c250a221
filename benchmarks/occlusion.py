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

# fmt: off
WEARERS = {
    3, 74, 118, 149, 163, 186, 197, 253, 274, 287, 306, 310, 340, 352, 364, 391,
    421, 424, 437, 446, 455, 467, 474, 485, 508, 523, 548, 570, 607, 609, 641, 656,
    712, 729, 731, 746, 832, 847, 849, 851, 863, 892, 924, 942, 947, 970, 976, 998,
}
# fmt: on
"""Faces of synthetic_faces/omi512 with glasses or sunglasses (looked at)."""


def drawn_mask(record: dict[str, Any]) -> Mask:
    """The union of the polygons less the holes, (h, w)."""
    mask = np.zeros(record["size"], np.uint8)
    for key, value in (("polygons", 1), ("holes", 0)):
        for ring in record.get(key, []):
            cv2.fillPoly(mask, [np.round(np.array(ring) * 16).astype(np.int32)], value, cv2.LINE_8, 4)
    return mask.astype(np.float32)


def face_crop(image: Image, face: Face) -> tuple[Image, Face, tuple[slice, slice]]:
    """The face with a margin, at most 512 pixels; also where it was cut."""
    margin, side = 0.35, 512
    x0, y0, x1, y1 = face.box_xyxy
    grow = margin * max(x1 - x0, y1 - y0)
    h, w = image.shape[:2]
    left, top = max(0, int(x0 - grow)), max(0, int(y0 - grow))
    where = slice(top, min(h, int(y1 + grow))), slice(left, min(w, int(x1 + grow)))
    cut = image[where]
    scale = min(1.0, side / max(cut.shape[:2]))
    if scale < 1:
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cut), face.moved(-left, -top).scaled(scale), where


def largest(reader: FaceReader, image: Image) -> Face:
    """The face the masks were drawn for."""
    return max(reader.read(image, embed=False), key=lambda face: face.width)


def overlap(reader: FaceReader, data: Path, record: dict[str, Any]) -> tuple[float, float, float]:
    """IoU inside the oval, the same without a band of 1 % of the face width either side of the drawn edge, seconds."""
    image = open_photo(data / record["file"]).pixels()
    cut, face, where = face_crop(image, largest(reader, image))
    truth = cv2.resize(drawn_mask(record)[where], cut.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    start = time.perf_counter()
    found = find_occluders(cut, face) > 0.5
    seconds = time.perf_counter() - start
    oval = oval_mask(face, (cut.shape[0], cut.shape[1])) > 0.5
    reach = max(1, round(0.01 * face.width))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    edge = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    return iou(found, truth, oval), iou(found | edge & truth, truth, oval & ~(edge & ~truth)), seconds


def iou(found: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Intersection over union of two boolean masks within a third."""
    return float((found & truth & where).sum() / max(((found | truth) & where).sum(), 1))


def false_area(image: Image, face: Face) -> float:
    """Share of the oval marked within its inner 80 %."""
    cut, small, _ = face_crop(image, face)
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


def print_overlaps(reader: FaceReader, data: Path, split: str | None) -> None:
    """A row for each mask, then for each kind and split."""
    table: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    times = []
    for path in sorted(MASKS.glob("*.json")):
        record = json.loads(path.read_text())
        if split and record["split"] != split:
            continue
        strict, lenient, seconds = overlap(reader, data, record)
        table[record["kind"], record["split"]].append((strict, lenient))
        times.append(seconds)
        print(f"{record['kind']:8} {record['split']:5} {strict:.3f} {lenient:.3f}  {record['file']}")
    table["all", ""] = [pair for values in table.values() for pair in values]
    print("kind     split   n   mean median >=0.8 | edge band left out: mean median >=0.8")
    for (kind, side), pairs in sorted(table.items()):
        columns = [f"{np.mean(v):.3f} {np.median(v):.3f} {int((v >= 0.8).sum()):2}" for v in np.array(pairs).T]
        print(f"{kind:8} {side:5} {len(pairs):3}  " + "  |  ".join(columns))
    print(f"time: median {1000 * np.median(times):.0f} ms a crop of at most 512 px")


def print_false_areas(reader: FaceReader, data: Path, split: str | None) -> None:
    """A row for each group of people."""
    for group, areas in sorted(false_areas(reader, data, split).items()):
        values = [area for area, _, _ in areas]
        worst, name, _ = max(areas)
        print(
            f"false area {group:18} n={len(values):2} mean {100 * np.mean(values):.2f} % max {100 * worst:.2f} % "
            f"({name}), glasses seen on {sum(seen for _, _, seen in areas)}"
        )


def print_wearers(reader: FaceReader, data: Path, split: str | None) -> None:
    """How many of the faces with and without glasses are said to wear them."""
    splits = read_splits(data)
    said: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for path in sorted((data / "synthetic_faces/omi512").glob("*.jpg")):
        side = splits[f"synthetic_faces/omi512/{path.name}"]
        if split in (None, side):
            image = open_photo(path).pixels()
            said[side, int(path.stem) in WEARERS].append(wears_glasses(image, largest(reader, image)))
    for (side, wearing), answers in sorted(said.items()):
        print(
            f"{side:5} {'with' if wearing else 'without'} glasses: said to wear them {sum(answers)} of {len(answers)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--split", choices=("tune", "judge"), help="only this side")
    options = parser.parse_args()
    reader = FaceReader.load()
    print_overlaps(reader, options.data, options.split)
    print_false_areas(reader, options.data, options.split)
    print_wearers(reader, options.data, options.split)


if __name__ == "__main__":
    main()
