"""`detection`: rendered marks on judge faces, and the annotated judge photos, found by one detector or several.

Rendered faces: sample i has skin i (modulo 50) of the annotated judge photos; their own marks count neither way. Real
faces: the same photos as they are. Scored by marks/scoring.py.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.marks_results import Record, number, percent, results, table
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import largest_face
from portraitist.image import open_photo
from portraitist.marks.annotation import AnnotatedImage
from portraitist.marks.detectors import load_detector
from portraitist.marks.formats import read_annotations
from portraitist.marks.found import Detector
from portraitist.marks.kinds import POINT_KINDS, MarkKind
from portraitist.marks.labelled import LabelledView, label_photo
from portraitist.marks.rendered_set import rendered_samples
from portraitist.marks.scoring import Score, score
from portraitist.marks.view import SIDE, skin_view
from portraitist.placement import Placement
from portraitist.types import Image

TRUTH = Path(__file__).parent / "marks_truth" / "london.marks.json"
SEED = 5
THREADS = 2
TIMED_SIDES = (640, 1024)
_COUNTERS = ("there", "found")
_RENDERED_HEAD = (
    ("detector", "target"),
    ("faces", "-"),
    ("moles", ">= 90 %"),
    ("spots", ">= 80 %"),
    ("pimples", "-"),
    ("scars", "-"),
    ("false marks a face, of all kinds", "<= 1"),
    ("position error, median, of the face's width", "<= 1 %"),
    ("wrinkles, by length", ">= 70 %"),
    ("false wrinkle length", "<= 20 %"),
    ("false moles a face", "-"),
)
_REAL_HEAD = (
    ("detector", "target"),
    ("faces", "-"),
    ("moles, as any kind", "-"),
    ("moles, as moles", ">= 70 %"),
    ("false moles a face", "<= 1"),
    ("spots", "-"),
    ("pimples", "-"),
    ("scars", "-"),
    ("false marks a face", "-"),
    ("position error", "-"),
    ("wrinkles, by length", "-"),
    ("false wrinkle length", "-"),
    ("s a face at 640 px", "< 0.3"),
    ("at 1024 px", "< 0.8"),
)


class Faces:
    """What detectors are measured on, read when it is needed. Counts are cut by --limit without changing a face."""

    def __init__(self, data: Path, samples: int, limit: int | None) -> None:
        self.data = data
        self.annotated = _annotated(data)[:limit]
        self.count = min(samples, limit or samples)

    @cached_property
    def photos(self) -> list[LabelledView]:
        """The annotated photos."""
        return [label_photo(self.image(i), a, self.reader, SIDE) for i, a in enumerate(self.annotated)]

    @cached_property
    def reader(self) -> FaceReader:
        """On the threads that detectors get."""
        return FaceReader.load(Placement(threads=THREADS))

    def image(self, index: int) -> Image:
        """The pixels of an annotated photo."""
        return open_photo(self.data / self.annotated[index].file).pixels()


def detection(args: argparse.Namespace, folder: Path) -> str:
    """Both tables of every detector that was asked for."""
    cv2.setNumThreads(THREADS)
    faces = Faces(args.data, args.samples, args.limit)
    rows: dict[str, list[list[str]]] = {"rendered": [], "real": []}
    for name in args.detector:
        found = _Measured(name, faces, folder)
        rows["rendered"].append(rendered_row(name, found.rendered()))
        rows["real"].append(real_row(name, found.real()))
    first = _targets(_RENDERED_HEAD, rows["rendered"])
    return f"Rendered faces\n\n{first}\nReal faces\n\n{_targets(_REAL_HEAD, rows['real'])}"


class _Measured:
    """One detector on all faces. It is loaded only where a face is missing."""

    def __init__(self, name: str, faces: Faces, folder: Path) -> None:
        self.name, self.faces, self.folder = name, faces, folder / "detection" / name

    @cached_property
    def detector(self) -> Detector:
        return load_detector(self.name, Placement(threads=THREADS))

    def rendered(self) -> list[Record]:
        names = [f"{index:04d}" for index in range(self.faces.count)]
        return results(self.folder / "rendered", names, lambda name: scored(self.detector, self._sample(int(name))))

    def real(self) -> list[Record]:
        places = {Path(a.file).stem: index for index, a in enumerate(self.faces.annotated)}
        return results(self.folder / "real", places, lambda name: self._real(places[name]))

    def _sample(self, index: int) -> LabelledView:
        """Asked for in ascending order; one in memory at a time."""
        return next(item for number, item in self._samples if number == index)

    @cached_property
    def _samples(self) -> Iterator[tuple[int, LabelledView]]:
        return enumerate(rendered_samples(self.faces.photos, SEED))

    def _real(self, index: int) -> Record:
        return {**scored(self.detector, self.faces.photos[index]), "seconds": self._timed(index)}

    def _timed(self, index: int) -> dict[str, dict[str, float]]:
        """Seconds that pass and seconds of processor time, of the detector on a finished view; the second of two
        calls, so that nothing is made ready for this size any more."""
        image, timed = self.faces.image(index), {}
        face = largest_face(image, self.faces.reader)
        if face is None:
            raise InputError(f"{self.faces.annotated[index].file}: expected a face, found none; is this the photo?")
        for side in TIMED_SIDES:
            view = skin_view(image, face, side)
            for _ in range(2):
                clock, processor = time.perf_counter(), time.process_time()
                tuple(self.detector(view))
                spent = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
            timed[str(side)] = spent
        return timed


def scored(detector: Detector, item: LabelledView) -> Record:
    """The score of a face, and that of the marks alone that the detector calls moles."""
    found = tuple(detector(item.view))
    moles = [mark for mark in found if mark.kind == "mole"]
    return {"all": as_record(score(found, item)), "moles": as_record(score(moles, item))}


def as_record(value: Score) -> Record:
    """JSON of a score; `summed` reads it."""
    return {name: getattr(value, name) for name in Score.__dataclass_fields__}


def summed(records: Sequence[Record]) -> Score:
    """The score of all faces."""
    total = Score()
    for record in records:
        counts: dict[str, Any] = {name: Counter(record[name]) for name in _COUNTERS}
        total += Score(**{**record, **counts, "errors": tuple(record["errors"])})
    return total


def rendered_row(name: str, records: Sequence[Record]) -> list[str]:
    """One detector on rendered faces."""
    total, moles = (summed([record[part] for record in records]) for part in ("all", "moles"))
    return [name, str(total.faces), *_points(total), *_lines(total), number(moles.false_a_face)]


def real_row(name: str, records: Sequence[Record]) -> list[str]:
    """One detector on real faces."""
    total, moles = (summed([record[part] for record in records]) for part in ("all", "moles"))
    any_kind, *rest = _points(total)
    named = [_recall(moles, "mole"), number(moles.false_a_face)]
    timed = [_seconds([record["seconds"][str(side)] for record in records]) for side in TIMED_SIDES]
    return [name, str(total.faces), any_kind, *named, *rest, *_lines(total), *timed]


def _points(total: Score) -> list[str]:
    recalls = [_recall(total, kind) for kind in POINT_KINDS]
    return [*recalls, number(total.false_a_face), percent(total.median_error, 2)]


def _recall(total: Score, kind: MarkKind) -> str:
    return f"{percent(total.recall(kind))} of {total.there[kind]}"


def _lines(total: Score) -> list[str]:
    return [percent(total.wrinkle_recall), percent(total.wrinkle_false)]


def _seconds(timed: Sequence[dict[str, float]]) -> str:
    """Median that passes, and median of processor time."""
    if not timed:
        return "-"
    clock, processor = (float(np.median([one[kind] for one in timed])) for kind in ("clock", "processor"))
    return f"{clock:.2f} ({processor:.2f} of processor)"


def _targets(head: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    return table([name for name, _ in head], [*rows, [target for _, target in head]])


def _annotated(data: Path) -> list[AnnotatedImage]:
    read = read_annotations(TRUTH, images=data)
    if read.problems:
        raise InputError(f"{TRUTH.name}: expected no problems, found {read.problems[0]}; give --data with its photos")
    return sorted(read.images, key=lambda image: image.file)
