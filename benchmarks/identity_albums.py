"""The people of the identity table: their photos, and which of them the album never sees.

An album of ten accepted photos or more keeps its own photos for the report (`identity/dataset.split_album`). In a
smaller one every photo is learned from, so the benchmark keeps some out of the album.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraitist.faces.reader import FaceReader
from portraitist.identity.dataset import LEAST_TO_SPLIT, split_album
from portraitist.image import open_photo
from portraitist.library import Consent, Library
from portraitist.tasks.add import add
from portraitist.tasks.sitting import Cast
from portraitist.types import Embedding, Reference
from recipes.mini.prepare import LOOK_UNDER_AGE

KINDS = {"london": "london_", "caltech": "caltech_", "lisa": "lisa_", "variants": "variant_"}
"""Sets of people, by how their names begin in SPLIT.csv."""
MEDOID_REACH = 0.45
"""Variants farther from the most central one than this are another person to the recogniser."""
KEPT_EVERY = 4
"""Of a small album every fourth photo, counted from the last, is kept out of it."""
SITTER = "sitter"


@dataclass(frozen=True)
class Person:
    """kind: one of KINDS. photos: every picture of them, by name."""

    kind: str
    name: str
    photos: tuple[Path, ...]


@dataclass(frozen=True)
class Seat:
    """A sitter in a library. report: photos nothing was learned from and no checkpoint was chosen by."""

    library: Library
    cast: Cast
    learned: tuple[Reference, ...]
    report: tuple[Reference, ...]


def people(data: Path, split: str, kinds: Sequence[str]) -> list[Person]:
    """Everybody of the split, set by set, by name. Variant identities that look like children are left out."""
    files: dict[str, list[Path]] = defaultdict(list)
    with (data / "SPLIT.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["split"] == split and row["file"].endswith((".jpg", ".png")):
                files[row["person"]].append(data / row["file"])
    return [
        Person(kind, name, tuple(sorted(files[name])))
        for kind in kinds
        for name in sorted(files)
        if name.startswith(KINDS[kind]) and name.removeprefix("variant_") not in LOOK_UNDER_AGE
    ]


def templates(data: Path, split: str) -> list[Path]:
    """The split's half-body studio photos of one person: 512 x 512, one face each."""
    with (data / "SPLIT.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    return sorted(data / row["file"] for row in rows if row["file"].startswith("templates/facechain_poses/"))


def seat(person: Person, library: Library, reader: FaceReader) -> Seat:
    """Add the person's album. Raises InputError when no photo is left to learn from."""
    library.accept_noncommercial("benchmark")
    photos, me = near_medoid(person.photos, reader) if person.kind == "variants" else (person.photos, None)
    learned = photos
    kept: tuple[Path, ...] = ()
    if len(photos) >= LEAST_TO_SPLIT:
        accepted = _added(library, "everybody", photos, me)
        if len(accepted) < LEAST_TO_SPLIT:
            learned = accepted
    if len(learned) < LEAST_TO_SPLIT:
        kept = kept_back(learned)
    _added(library, SITTER, [path for path in learned if path not in kept], me)
    cast = Cast.of(library, SITTER)
    split = split_album(cast.everyone)
    report = split.report or tuple(found for path in kept if (found := reference(path, reader)))
    return Seat(library, cast, split.train, report)


def _added(library: Library, name: str, photos: Sequence[Path], me: Path | None) -> tuple[Path, ...]:
    """Add the photos and return those that were accepted, by name. me: a photo that says who is meant."""
    album = add(library, name, photos, consent=Consent.now("benchmark", "development data"), me=me)
    return tuple(sorted(Path(photo.path) for photo in album.accepted))


def kept_back(photos: Sequence[Path]) -> tuple[Path, ...]:
    """Photos of a small album to report on: every fourth from the last; none of a single one.

    >>> kept_back([Path("neutral.jpg"), Path("smiling.jpg")])
    (PosixPath('smiling.jpg'),)
    """
    return tuple(sorted(photos[-1:0:-KEPT_EVERY]))


def near_medoid(photos: Sequence[Path], reader: FaceReader) -> tuple[tuple[Path, ...], Path]:
    """The photos within MEDOID_REACH of the most central one, and that one."""
    found = [(path, one.face.embedding) for path in photos if (one := reference(path, reader))]
    known = [(path, embedding) for path, embedding in found if embedding is not None]
    near, medoid = within_reach([embedding for _, embedding in known])
    return tuple(path for (path, _), is_near in zip(known, near, strict=True) if is_near), known[medoid][0]


def within_reach(embeddings: Sequence[Embedding], reach: float = MEDOID_REACH) -> tuple[list[bool], int]:
    """For each descriptor whether it is within `reach` of the one with the smallest sum of distances, and its place."""
    distances = np.array([[one.distance(other) for other in embeddings] for one in embeddings])
    medoid = int(distances.sum(axis=1).argmin())
    return [bool(distance <= reach) for distance in distances[medoid]], medoid


def reference(path: Path, reader: FaceReader) -> Reference | None:
    """The photo with its largest face, None where there is none."""
    photo = open_photo(path)
    faces = reader.read(photo.pixels())
    return Reference(photo, max(faces, key=lambda face: face.width)) if faces else None
