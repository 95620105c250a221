"""Where the domains come from: which files, which split, which frame, whose licence."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portraitist.faces.reader import FaceReader
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.framing import PICTURES, Crop, FaceFrame, Frame

SPLITS = ("tune", "judge")
JUDGE_EVERY = 5
"""The split lists no drawings: every fifth of a set is kept back to judge with."""
OMI = DomainNote(
    "OMI faces",
    "CC BY-NC-SA 4.0",
    "Peterson, Uddenberg, Griffiths, Todorov and Suchow (2022), PNAS 119(17)",
    noncommercial=True,
)
PERMISSIVE = DomainNote(
    "Face Research Lab London Set, Lisa, Azure samples",
    "CC BY 4.0, CC0 1.0, MIT",
    "DeBruine and Jones (2017), Face Research Lab London Set; L. DeBruine; Microsoft",
)
PERMISSIVE_FOLDERS = ("faces/london/", "albums/lisa_cc0/", "hard/azure_mit/", "templates/azure_mit/")
"""Not the Caltech albums: whether they may be published was not found out."""
_PARTLY_CC_BY = "CC BY 4.0 (remixed: parts combined, coloured, rendered)"
STYLES: Mapping[str, tuple[Crop, DomainNote]] = {
    "adventurer": (Crop(0.037, 0.090, 0.837), DomainNote("Adventurer", _PARTLY_CC_BY, "Lisa Wischofsky")),
    "big-ears": (Crop(0.065, 0.134, 0.866), DomainNote("Face Generator", _PARTLY_CC_BY, "The Visual Team")),
    "lorelei": (Crop(0.178, 0.094, 0.745), DomainNote("Lorelei", "CC0 1.0", "Lisa Wischofsky")),
    "micah": (Crop(0.145, 0.043, 0.750), DomainNote("Avatar Illustration System", _PARTLY_CC_BY, "Micah Lanier")),
    "open-peeps": (Crop(0.222, 0.110, 0.778), DomainNote("Open Peeps", "CC0 1.0", "Pablo Stanley")),
    "personas": (Crop(0.149, 0.112, 0.706), DomainNote("Personas", _PARTLY_CC_BY, "Draftbit")),
}
"""Crops by least squares: eyes, mouth, chin, both cheeks and the top of the head, read off each set's median picture,
laid on the mean places of the same in 593 photos in FFHQ framing."""


@dataclass(frozen=True)
class DomainSource:
    """Files of a domain by split, each with the name it is kept under, and how they are framed. crop: None where the
    face's mesh frames them."""

    note: DomainNote
    files: Mapping[str, list[tuple[Path, str]]]
    crop: Crop | None

    def pictures(self, split: str) -> list[tuple[Path, str]]:
        """Files of one split."""
        return self.files[split]

    def frame(self) -> Frame:
        """How a picture becomes framed faces."""
        return self.crop or FaceFrame(_reader())


def domain_sources(data: Path) -> dict[str, DomainSource]:
    """Every domain of the development data, by name."""
    # OMI pictures are in FFHQ framing already.
    found = {
        "omi": DomainSource(OMI, {s: _listed(data, ("synthetic_faces/omi256/",), s) for s in SPLITS}, Crop()),
        "permissive": DomainSource(PERMISSIVE, {s: _listed(data, PERMISSIVE_FOLDERS, s) for s in SPLITS}, None),
    }
    for name, (crop, note) in STYLES.items():
        found[name] = DomainSource(note, _drawings(data / "style" / f"dicebear_{name}"), crop)
    return found


def _listed(data: Path, folders: tuple[str, ...], split: str) -> list[tuple[Path, str]]:
    with (data / "SPLIT.csv").open(newline="") as file:
        rows = [row["file"] for row in csv.DictReader(file) if row["split"] == split]
    return [(data / name, name) for name in rows if name.startswith(folders) and name.lower().endswith(PICTURES)]


def _drawings(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    files = sorted(folder.glob("*.png"))
    judged = files[JUDGE_EVERY - 1 :: JUDGE_EVERY]
    kept = {"tune": [file for file in files if file not in judged], "judge": judged}
    return {split: [(file, f"{folder.name}/{file.name}") for file in listed] for split, listed in kept.items()}


@cache
def _reader() -> FaceReader:
    return FaceReader.load()
