"""Quality of `compose` in templates: 200 pairs of judge sitters and templates, seed 0, nothing left out.

    python benchmarks/compose_quality.py --data ../shared/data [--pairs 200] [--sheets DIR] [--json FILE]

Prints the table of docs/compose.md. Distances are between raw dlib descriptors; "to the sitter" is against the photos
the portrait was not made from.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem, build
from portraitist.compose.occlusion import wears_glasses
from portraitist.compose.shape import pose_like
from portraitist.errors import InputError
from portraitist.faces.ranking import measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.faces.regions import oval_mask, skin_mask
from portraitist.faces.topology import OVAL
from portraitist.geometry import similarity
from portraitist.image import open_photo
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.retouch.colour import to_lab
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import Slot, TemplateScene
from portraitist.types import Face, Image, Points, Portrait, Reference


@dataclass(frozen=True)
class Person:
    name: str
    references: list[Reference]
    sex: str
    ita: float


def people(data: Path, reader: FaceReader) -> list[Person]:
    """Judge sitters: London pairs, Lisa, the Caltech judge albums."""
    info = {row["face_id"]: row for row in csv.DictReader((data / "faces/london/info.csv").open())}
    files = defaultdict(list)
    for row in csv.DictReader((data / "SPLIT.csv").open()):
        if row["split"] == "judge" and row["person"].startswith(("london", "lisa", "caltech")):
            files[row["person"]].append(data / row["file"])
    found = []
    for name, paths in sorted(files.items()):
        references = [r for path in paths[:12] if (r := reference(path, reader))]
        number = name.removeprefix("london_")
        sex = info.get(number, info.get(number.lstrip("0"), {})).get("gender", "not stated")
        found.append(Person(name, references, sex, float(np.median([ita(r) for r in references]))))
    return found


def reference(path: Path, reader: FaceReader) -> Reference | None:
    if path.suffix not in (".jpg", ".png"):
        return None
    photo = open_photo(path)
    faces = reader.read(photo.pixels())
    return Reference(photo, max(faces, key=lambda face: face.width)) if faces else None


def ita(reference: Reference) -> float:
    """Individual typology angle of the skin in degrees (Chardon 1991): over 28 light, under 10 dark."""
    image = reference.picture.pixels()
    lab = to_lab(image)[skin_mask(reference.face, image.shape[:2]) > 0.9]
    lightness, _, yellow = np.median(lab, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def scenes(data: Path, reader: FaceReader) -> Iterator[tuple[str, TemplateScene]]:
    for path in sorted((data / "templates").rglob("*.jpg")):
        try:
            yield path.stem, find_slots(open_photo(path), reader)
        except InputError:
            sys.stderr.write(f"no slot in {path.name}\n")


def outline_distance(one: Points, other: Points) -> float:
    """Mean landmark distance of two outlines in one pose after Procrustes, in shares of the face width."""
    a, b = one[list(OVAL), :2], other[list(OVAL), :2]
    scale, rotation, translation = similarity(a, b)
    return float(np.linalg.norm(scale * a @ rotation.T + translation - b, axis=1).mean() / np.ptp(b[:, 0]))


def seam_ratio(result: Image, template: Image, face: Face) -> float:
    """Mean gradient along the face's border in the result over the template's own there."""
    edge = oval_mask(face, result.shape[:2]) > 0.5
    kernel = np.ones((3, 3), np.uint8)
    band = cv2.dilate(edge.astype(np.uint8), kernel, iterations=2) - cv2.erode(
        edge.astype(np.uint8), kernel, iterations=2
    )
    means = []
    for image in (result, template):
        lightness = to_lab(image)[..., 0]
        slope = np.hypot(cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1))
        means.append(float(slope[band > 0].mean()))
    return means[0] / max(means[1], 1e-3)


def measure(portrait: Portrait, scene: TemplateScene, slot: Slot, person: Person, reader: FaceReader) -> dict[str, Any]:
    template = scene.picture.pixels()
    assert portrait.changed is not None
    untouched = portrait.changed == 0
    record: dict[str, Any] = {"outside_same": bool((portrait.image[untouched] == template[untouched]).all())}
    record["area"] = float(
        (portrait.changed > 0).sum() / max(float(oval_mask(slot.face, template.shape[:2]).sum()), 1.0)
    )
    faces = reader.read(portrait.image)
    near = [f for f in faces if np.linalg.norm(f.centre - slot.face.centre) < 0.6 * slot.face.width]
    record["found"] = bool(near)
    if not near:
        return record
    face = min(near, key=lambda f: float(np.linalg.norm(f.centre - slot.face.centre)))
    likeness = measure_likeness(face, person.references, portrait.sources)
    source = next(r for r in person.references if r.picture.digest in portrait.sources)
    record |= {"sitter": likeness.best_distance, "mean3": likeness.mean3_distance}
    record["source"] = face.embedding.distance(source.face.embedding)  # type: ignore[union-attr,arg-type]
    record["template"] = face.embedding.distance(slot.face.embedding)  # type: ignore[union-attr,arg-type]
    record["outline_sitter"] = outline_distance(face.landmarks, pose_like(source.face.landmarks, slot.face.landmarks))
    record["outline_template"] = outline_distance(face.landmarks, slot.face.landmarks)
    record["seam"] = seam_ratio(portrait.image, template, face)
    record |= {"yaw": slot.face.pose.yaw, "glasses": wears_glasses(template, slot.face)}
    return record


def crop(image: Image, face: Face) -> Image:
    reach = 0.9 * face.width
    low = np.maximum(np.round(face.centre - reach), 0).astype(int)
    high = np.round(face.centre + reach).astype(int)
    return image[low[1] : high[1], low[0] : high[0]]


def share(records: list[dict[str, Any]], key: Callable[[dict[str, Any]], bool]) -> str:
    return f"{100 * np.mean([key(r) for r in records]):.0f} %" if records else "-"


def row(name: str, records: list[dict[str, Any]]) -> str:
    found = [r for r in records if r["found"]]
    judged = [r for r in found if r["sitter"] is not None]
    cells = [
        name,
        str(len(records)),
        share(records, lambda r: bool(r["found"])),
        share(judged, lambda r: r["sitter"] < 0.5),
        f"{np.median([r['sitter'] for r in judged]):.2f}" if judged else "-",
        share(found, lambda r: r["template"] > 0.6),
        share(found, lambda r: r["outline_sitter"] < r["outline_template"]),
        f"{np.median([r['seam'] for r in found]):.2f}" if found else "-",
    ]
    return "| " + " | ".join(cells) + " |"


GROUPS: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
    ("all", lambda r: True),
    ("skin light (ITA > 28)", lambda r: r["ita"] > 28),
    ("skin medium (10-28)", lambda r: 10 < r["ita"] <= 28),
    ("skin dark (<= 10)", lambda r: r["ita"] <= 10),
    ("female", lambda r: r["sex"] == "female"),
    ("male", lambda r: r["sex"] == "male"),
    ("template with glasses", lambda r: bool(r.get("glasses"))),
    ("template yaw > 20", lambda r: abs(r.get("yaw", 0)) > 20),
    ("template yaw <= 20", lambda r: abs(r.get("yaw", 0)) <= 20),
]


def print_table(records: list[dict[str, Any]], seconds: list[float]) -> None:
    sys.stdout.write(
        "| group | pairs | face found | sitter < 0.5 | median | template > 0.6 | outline nearer sitter | seam |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|\n")
    for name, member in GROUPS:
        sys.stdout.write(row(name, [r for r in records if member(r)]) + "\n")
    area = [r["area"] for r in records]
    same = all(r["outside_same"] for r in records)
    sys.stdout.write(
        f"\nchanged region / oval: median {np.median(area):.2f}, largest {max(area):.2f}; outside identical: {same}\n"
    )
    sys.stdout.write(f"seconds a portrait, template analysed on the way: median {np.median(seconds):.2f}\n")


def side_by_side(portrait: Portrait, scene: TemplateScene, slot: Slot, person: Person) -> list[Image]:
    """The photo used, the template and the portrait, cropped alike."""
    used = next(r for r in person.references if r.picture.digest in portrait.sources)
    template = scene.picture.pixels()
    return [crop(used.picture.pixels(), used.face), crop(template, slot.face), crop(portrait.image, slot.face)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    reader = FaceReader.load(Placement())
    sitters, places = (
        people(args.data, reader),
        [(n, s, slot) for n, s in scenes(args.data, reader) for slot in s.slots],
    )
    everything = [(person, place) for person in sitters for place in places]
    chosen = random.Random(0).sample(everything, min(args.pairs, len(everything)))
    engine, records, tiles, seconds = build(ComposeConfig(), Placement()), [], [], []
    for person, (name, scene, slot) in sorted(chosen, key=lambda pair: pair[1][0]):
        started = time.perf_counter()
        portrait = next(iter(engine(ComposeItem(scene, {slot.number: person.references}), seed=0)))
        seconds.append(time.perf_counter() - started)
        record = measure(portrait, scene, slot, person, reader)
        record |= {"person": person.name, "scene": name, "slot": slot.number, "sex": person.sex, "ita": person.ita}
        records.append(record)
        if args.sheets:
            tiles.append((record, side_by_side(portrait, scene, slot, person)))
    print_table(records, seconds)
    if args.json:
        args.json.write_text(json.dumps(records, indent=1))
    if args.sheets:
        write_sheets(tiles, args.sheets)


def write_sheets(tiles: list[tuple[dict[str, Any], list[Image]]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(tiles), 20):
        images, captions = [], []
        for record, three in tiles[start : start + 20]:
            images += three
            captions += [
                record["person"],
                f"{record['scene'][:18]} {record['slot']}",
                f"{record.get('sitter') or 9:.2f} / {record.get('template', 9):.2f}",
            ]
        sheet = contact_sheet(images, captions, columns=6, cell=(230, 230))
        cv2.imwrite(str(folder / f"compose-{start // 20:02d}.jpg"), sheet[..., ::-1])


if __name__ == "__main__":
    main()
