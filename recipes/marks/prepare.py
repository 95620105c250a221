"""Photos of the tune split to views: their own marks are annotated, or where nobody did, left out of account."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.classical import ClassicalDetector
from portraitist.marks.config import ClassicalConfig
from portraitist.marks.formats import read_annotations
from portraitist.marks.labelled import LabelledView, label_photo, write_labelled
from portraitist.progress import Report, Step, silent

ANNOTATIONS = Path(__file__).with_name("london.marks.json")
FOLDERS = ("faces/london/", "hard/azure_mit/", "templates/azure_mit/")
"""CC BY 4.0 and MIT. Left out: what is non-commercial or share-alike, paintings, and photos of unclear origin."""
LEAST_WIDTH = 250.0
"""Pixels of a face's width: skin of smaller faces has no texture of its own left at 1,024 px."""
DETECTED = ClassicalConfig(
    spot_contrast=4.0,
    pimple_contrast=4.0,
    scar_contrast=4.0,
    wrinkle_contrast=3.5,
    wrinkle_mean=3.2,
    shortest_wrinkle=5.0,
)
"""Well below the detector's usual limits: what may be a mark of the skin's own must not be learned as none."""


@dataclass(frozen=True)
class Source:
    """One photo. person: by whom views are held back. annotated: None where nobody looked."""

    path: Path
    file: str
    person: str
    annotated: AnnotatedImage | None


def sources(data: Path) -> list[Source]:
    """The photos of the tune split with a licence that permits weights to be shared."""
    annotated = {image.file: image for image in read_annotations(ANNOTATIONS, images=data).images}
    with (data / "SPLIT.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "tune" and row["file"].startswith(FOLDERS)]
    return [Source(data / row["file"], row["file"], row["person"], annotated.get(row["file"])) for row in rows]


def write_skins(photos: list[Source], folder: Path, side: int, report: Report = silent) -> int:
    """A view a photo, those already there kept; returns how many photos had no face, or too small a one."""
    reader, missed = FaceReader.load(), 0
    for number, source in enumerate(photos, start=1):
        report(Step("skins", number, len(photos), source.file))
        path = folder / f"{source.file.replace('/', '-')}.npz"
        view = None if path.is_file() else _skin(source, reader, side)
        missed += view is None and not path.is_file()
        if view is not None:
            write_labelled(path, view)
    return missed


def _skin(source: Source, reader: FaceReader, side: int) -> LabelledView | None:
    image = open_photo(source.path).pixels()
    widths = [face.width for face in reader.read(image, embed=False)]
    if not widths or max(widths) < LEAST_WIDTH:
        return None
    annotated = source.annotated or AnnotatedImage(source.file, None, None, ())
    view = replace(label_photo(image, annotated, reader, side), name=source.person)
    return view if source.annotated else replace(view, marks=tuple(_doubted(view)))


def _doubted(item: LabelledView) -> Iterator[AnnotatedMark]:
    for mark in ClassicalDetector(DETECTED)(item.view):
        yield AnnotatedMark(mark.kind, mark.points, mark.diameter, is_sure=False)


def is_annotated(item: LabelledView) -> bool:
    """Whether somebody marked the photo: then the view itself is learned from."""
    return any(mark.is_sure for mark in item.marks)
