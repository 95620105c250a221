"""Pictures to a data pack: every face read and described, people kept apart by split, weights by person."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import FaceFacts
from portraitist.diffusion.face_facts import FactReader
from portraitist.errors import InputError
from portraitist.image import open_photo
from portraitist.progress import Report, Step, silent
from portraitist.types import Image
from recipes.mini.pack import Pack, person_weights

LEAST_PICTURES = 200
"""Fewer make a model that repeats them."""
VARIANTS_KEPT = 12
"""Of each person's 29 variants, spread over the attributes: near-copies that would only make the pack larger."""
LOOK_UNDER_AGE = frozenset({"1285", "1328", "1335", "1394", "1425", "1437", "1448"})
"""Variant identities that look like children or nearly: left out by looking, whatever their rating says."""


@dataclass(frozen=True)
class Source:
    """One picture on disk: whose it is, and facts that people gave rather than a network."""

    path: Path
    name: str
    person: str
    told: Mapping[str, float]


def omi_sources(data: Path, split: str, labels: Path) -> list[Source]:
    """The synthetic faces of one split ("tune" or "judge"), singles and variants, from the shared data's layout."""
    folder = data / "synthetic_faces"
    splits = {row["file"]: row["split"] for row in _rows(data / "SPLIT.csv")}
    told = _told(folder / "omi256_attributes.csv", labels)
    paths = [*sorted((folder / "omi256").glob("*.jpg")), *_some_variants(folder / "omi256_variants")]
    return [
        Source(path, name, f"omi_{number}", told.get(path.stem, {}))
        for path in paths
        if splits.get(name := path.relative_to(data).as_posix()) == split
        and (number := path.stem.split("_")[0]) not in LOOK_UNDER_AGE
    ]


def _some_variants(folder: Path) -> Iterator[Path]:
    files = sorted(folder.glob("*.jpg"), key=lambda path: (path.stem.split("_")[0], path.stem))
    for _, group in groupby(files, key=lambda path: path.stem.split("_")[0]):
        whole = list(group)
        yield from (whole[round(i * (len(whole) - 1) / (VARIANTS_KEPT - 1))] for i in range(VARIANTS_KEPT))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _told(ratings: Path, labels: Path) -> dict[str, dict[str, float]]:
    """Facts of each rated and labelled face. A rating between the two sides of a question answers nothing: 0.5."""
    told = {
        row["stimulus"]: {
            "long_hair": _side(float(row["long-haired"]), low=35, high=50),
            "dark_hair": _side(float(row["hair-color"]), low=40, high=65),
        }
        for row in _rows(ratings)
    }
    for row in _rows(labels):
        told.setdefault(row["stimulus"], {}).update({k: float(row[k]) for k in ("glasses", "beard", "hat")})
    return told


def _side(rating: float, *, low: float, high: float) -> float:
    return 0.0 if rating <= low else 1.0 if rating >= high else 0.5


def folder_sources(folder: Path) -> list[Source]:
    """Every picture of a folder, each taken for another person: own data, square and aligned like FFHQ."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of pictures, found none; name one with --images")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    return [Source(path, path.name, path.stem, {}) for path in files]


def prepare(
    sources: Iterable[Source], side: int, *, workers: int = 2, least: int = LEAST_PICTURES, report: Report = silent
) -> tuple[Pack, list[str]]:
    """The pack, and the names of pictures left out because no face was found.

    Raises InputError with too few pictures to train on.
    """
    sources = list(sources)
    kept: list[tuple[Source, Image, NDArray[np.float32], FaceFacts]] = []
    rejected = []
    # Spawned, not forked: a fork of a process whose libraries run threads can wait for ever.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        entries = pool.map(_read, sources, [side] * len(sources))
        for done, (source, entry) in enumerate(zip(sources, entries, strict=True), start=1):
            report(Step("prepare", done, len(sources)))
            if entry is None:
                rejected.append(source.name)
            else:
                kept.append((source, *entry))
    if len(kept) < least:
        raise InputError(
            f"{len(kept)} of {len(sources)} pictures show a face; expected at least {least}, square and aligned like "
            "FFHQ. Add pictures: a model of fewer repeats them"
        )
    return _pack(kept), rejected


def _pack(kept: list[tuple[Source, Image, NDArray[np.float32], FaceFacts]]) -> Pack:
    sources, images, landmarks, facts = zip(*kept, strict=True)
    people = tuple(source.person for source in sources)
    names = tuple(source.name for source in sources)
    return Pack(np.stack(images), np.stack(landmarks), facts, person_weights(people), names, people)


@cache
def _reader() -> FactReader:
    return FactReader.load()


def _read(source: Source, side: int) -> tuple[Image, NDArray[np.float32], FaceFacts] | None:
    """In a worker: the picture at the pack's side, its landmarks as parts of the side, its facts."""
    cv2.setNumThreads(1)
    image = open_photo(source.path).pixels()
    if image.shape[0] != image.shape[1]:
        raise InputError(f"{source.path}: {image.shape[1]} x {image.shape[0]} pixels; expected a square aligned face")
    found = _reader()(image)
    if found is None:
        return None
    face, facts = found
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    landmarks = (face.landmarks[:, :2] / image.shape[0]).astype(np.float32)
    return np.asarray(small, np.uint8), landmarks, replace(facts, **source.told)
