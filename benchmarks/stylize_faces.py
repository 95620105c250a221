"""What a painter does to each judge face: still a face, its landmarks, its region, its strength; by group of people."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compose_quality import ita
from portraitist.faces.attributes import measure_attributes
from portraitist.faces.reader import FaceReader
from portraitist.geometry import box_overlap, fit_within
from portraitist.image import open_photo
from portraitist.placement import Placement
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.engine import PaintEngine, PaintItem
from portraitist.stylize.frame import frame_face
from portraitist.stylize.grid import border_ratio
from portraitist.stylize.painting import FramePainter, Painting
from portraitist.tasks.paint_people import UNKNOWN, Chosen, Hiding
from portraitist.tasks.painters import Painter
from portraitist.types import Face, Image, Pixels, Reference

FOLDERS = ("synthetic_faces/omi512/", "faces/london/", "albums/", "hard/azure_mit/", "templates/azure_mit/")
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
HERE = Placement(threads=2)


@dataclass(frozen=True, eq=False)
class Judged:
    """A judge photo (longer side at most 1024) and the largest face in it. facts: what the groups go by."""

    name: str
    image: Image
    face: Face
    facts: dict[str, Any]


def judged_faces(data: Path, reader: FaceReader, most: int) -> Iterator[Judged]:
    """At most `most` faces of each folder, spread over it. Nothing else is left out but photos without a face."""
    ages = _ages(data)
    with (data / "SPLIT.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["split"] == "judge"]
    for folder in FOLDERS:
        listed = [name for name in names if name.startswith(folder) and not Path(name).stem.startswith("no_face")]
        for name in listed[:: max(1, -(-len(listed) // most))]:
            image = open_photo(data / name).pixels(1024)
            found = reader.read(image)
            if not found:
                sys.stderr.write(f"no face in {name}\n")
                continue
            face = max(found, key=lambda each: each.width)
            seen = measure_attributes(image, face.landmarks)
            facts = {"ita": ita(Reference(Pixels(image), face)), "yaw": abs(face.pose.yaw), "age": ages.get(name)}
            yield Judged(name, image, face, {**facts, "glasses": seen.glasses, "beard": seen.beard})


def _ages(data: Path) -> dict[str, float]:
    """Rated age of OMI faces, stated age of London's."""
    found: dict[str, float] = {}
    with (data / "synthetic_faces/omi512_attributes.csv").open(newline="") as file:
        found |= {f"synthetic_faces/omi512/{row['stimulus']}.jpg": float(row["age"]) for row in csv.DictReader(file)}
    with (data / "faces/london/info.csv").open(newline="") as file:
        for row in (row for row in csv.DictReader(file) if row["age"] != "NA"):
            found |= {f"faces/london/{row[kind]}": float(row["age"]) for kind in ("neutral", "smiling")}
    return found


class Remembering:
    """A frame painter that paints the same frame once: the strengths of one face differ in the mixing only."""

    def __init__(self, painter: FramePainter) -> None:
        self._painter, self._last = painter, ("", Painting(np.zeros((1, 1, 3), np.uint8)))
        self.side, self.part = painter.side, painter.part

    def __call__(self, frame: Image) -> Painting:
        """The painting, from memory where the frame is the last one."""
        digest = Pixels(frame).digest
        if digest != self._last[0]:
            self._last = digest, self._painter(frame)
        return self._last[1]


def measured(judged: Judged, engine: PaintEngine, reader: FaceReader) -> dict[str, Any]:
    """The record of one face under one painter. engine: with a painter that remembers, at full strength."""
    item = PaintItem(judged.image, [judged.face])
    painted = next(engine(item))
    framed = frame_face(judged.image, judged.face, engine.frame_side(), engine.painter.part)
    drawing = engine.painter(framed.image).image
    outside = painted.changed == 0
    found = _found(painted.image, judged.face, reader)
    record: dict[str, Any] = {"name": judged.name, **judged.facts, "found": found is not None}
    record |= {"same_outside": bool((painted.image[outside] == judged.image[outside]).all())}
    record |= {"grid": border_ratio(drawing.astype(np.float32)), "distance": _distance(painted.image, judged, reader)}
    if found is not None:
        away = np.linalg.norm(found.landmarks[:, :2] - judged.face.landmarks[:, :2], axis=1).mean()
        record["landmarks"] = float(away / np.ptp(judged.face.landmarks[:, 0]))
    return record | _by_strength(judged, engine, reader)


def _by_strength(judged: Judged, engine: PaintEngine, reader: FaceReader) -> dict[str, Any]:
    """Whether the distance of pixels, and of descriptors, never falls as strength rises. One hundredth is noise."""
    pixels, descriptors = [], []
    for strength in STRENGTHS:
        mixed = PaintEngine(engine.painter, PaintConfig(strength=strength), HERE)
        image = next(mixed(PaintItem(judged.image, [judged.face]))).image
        pixels.append(float(np.abs(image.astype(int) - judged.image).mean()))
        descriptors.append(_distance(image, judged, reader))
    return {
        "monotone_pixels": bool((np.diff(pixels) > 0).all()),
        "monotone_distance": bool((np.diff(descriptors) > -0.01).all()),
        "distances": [round(d, 3) for d in descriptors],
    }


def hidden(judged: Judged, painter: Painter, reader: FaceReader) -> dict[str, Any]:
    """What `privacy` does to the face: level and distance."""
    hiding = Hiding(painter.build(PaintConfig(), HERE), reader)
    _, (record,) = hiding(judged.image, Chosen((judged.face,), ()), 0)
    return {**record, "hidden": record["distance"] > UNKNOWN}


def framed_small(judged: Judged, engine: PaintEngine, side: int = 256) -> tuple[Image, Image]:
    """The face in the painter's frame, as it is and painted, for comparing sets."""
    framed = frame_face(judged.image, judged.face, engine.frame_side(), engine.painter.part).image
    return fit_within(framed, side), fit_within(engine.painter(framed).image, side)


def on_grey(image: Image) -> Image:
    """The framed head alone, by the ellipse that translators know."""
    # torch is not needed for anything else here.
    from portraitist.stylize.head_losses import head_region

    head = head_region(image.shape[0])[0, 0, :, :, None].numpy()
    return np.asarray(np.rint(127.5 + head * (image - 127.5)), np.uint8)


def _found(image: Image, face: Face, reader: FaceReader) -> Face | None:
    near = [f for f in reader.read(image, embed=False) if box_overlap(f.box_xyxy, face.box_xyxy) > 0.3]
    return max(near, key=lambda f: box_overlap(f.box_xyxy, face.box_xyxy), default=None)


def _distance(image: Image, judged: Judged, reader: FaceReader) -> float:
    assert judged.face.embedding is not None
    return reader.embed(image, replace(judged.face)).distance(judged.face.embedding)


GROUPS: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
    ("all", lambda r: True),
    ("skin light (ITA > 28)", lambda r: r["ita"] > 28),
    ("skin medium (10-28)", lambda r: 10 < r["ita"] <= 28),
    ("skin dark (<= 10)", lambda r: r["ita"] <= 10),
    ("glasses", lambda r: r["glasses"] > 0.9),
    ("beard", lambda r: r["beard"] > 0.9),
    ("age under 40", lambda r: r["age"] is not None and r["age"] < 40),
    ("age 40 and over", lambda r: r["age"] is not None and r["age"] >= 40),
    ("yaw up to 15", lambda r: r["yaw"] <= 15),
    ("yaw over 15", lambda r: r["yaw"] > 15),
)


def table(records: list[dict[str, Any]]) -> Iterator[str]:
    """Rows of the table by group."""
    yield "| group | faces | face found | landmarks within 6 % | median landmark error | distance | strength rises |"
    yield "|---|---|---|---|---|---|---|"
    for name, member in GROUPS:
        group = [record for record in records if member(record)]
        if not group:
            continue
        errors = [record["landmarks"] for record in group if "landmarks" in record]
        within = sum(error <= 0.06 for error in errors) / len(group)
        cells = [name, str(len(group)), f"{np.mean([r['found'] for r in group]):.2f}", f"{within:.2f}"]
        cells += [f"{100 * np.median(errors):.1f} %" if errors else "-"]
        cells += [f"{np.median([r['distance'] for r in group]):.2f}"]
        cells += [f"{np.mean([r['monotone_distance'] for r in group]):.2f}"]
        yield f"| {' | '.join(cells)} |"
