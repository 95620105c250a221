"""`transfer`: template portraits of judge people, with and without their marks carried over.

The sitter's map is made of both photos by the product's detector; the classical one judges, and shares no code with
the trained one. Wanted are the moles that the judge found in the photo the portrait was made from, where the portrait
can show them (`marks_again.why_unseen`).
Compose takes the sitter's own skin, moles and all; the same portraits with every mark wiped off stand for engines that
do not.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.marks_again import Judged, colour_error, false_marks, found_again, why_unseen
from benchmarks.marks_portraits import Sitter, Studio, template_paths
from benchmarks.marks_results import Record, number, percent, results, table
from benchmarks.marks_texture import reduced, wiped
from portraitist.compose.occlusion import find_occluders
from portraitist.faces.ranking import measure_likeness
from portraitist.marks.anchor import millimetres_per_pixel, place
from portraitist.marks.config import TransferConfig
from portraitist.marks.found import FoundMark
from portraitist.marks.mark import PointMark
from portraitist.marks.measure import measured
from portraitist.marks.view import skin_view
from portraitist.tasks.find_marks import marks_in
from portraitist.types import Face, Image, Mask, Portrait

PHOTO = "the photo, as small"
WIPED = "wiped, "
"""Begins the rows of portraits whose own marks were wiped off."""
WAYS: Mapping[str, TransferConfig] = {
    "nothing drawn": TransferConfig(marks_strength=0),
    "marks, `anchor`": TransferConfig(marks_method="anchor"),
    "marks, `affine`": TransferConfig(marks_method="affine"),
}
_HEAD = (
    "picture",
    "faces",
    "marks drawn a face",
    "moles wanted",
    "found again",
    "of those in the map for sure",
    "colour error, median",
    "to the photo at full size",
    "false marks a face",
    "distance to the other photo",
)
_TARGET = ("target", "-", "-", "-", ">= 95 %", "-", "< 6", "-", "not above nothing drawn", "not above nothing drawn")


@dataclass(frozen=True, eq=False)
class Wanted:
    """The moles a portrait should show: as the photo has them, and as it has them at the portrait's size. is_sure: of
    each, whether the sitter's map has it with the confidence it needs to be drawn."""

    marks: tuple[PointMark, ...]
    small: tuple[PointMark | None, ...]
    is_sure: tuple[bool, ...]


def transfer(args: argparse.Namespace, folder: Path) -> str:
    """The table of all ways, and which moles were not wanted and why."""
    studio = Studio(args.data, args.split)
    paths = {path.stem: path for path in template_paths(args.data, args.split)}
    names = [f"{name}, {stem}" for stem in paths for name in studio.names(args.limit)]

    def make(name: str) -> Record:
        person, stem = name.split(", ")
        return portrait_record(studio, studio.sitter(person), paths[stem])

    return transfer_table(results(folder / f"transfer-{args.split}", names, make))


def portrait_record(studio: Studio, sitter: Sitter, template: Path) -> Record:
    """Everything measured of one sitter in one template."""
    scene, slot = studio.scene(template)
    portrait = studio.compose(sitter, scene, slot.number)
    face = studio.face(portrait.image, slot.face.centre)
    if face is None:
        return {"found": False, "ways": {}, "unseen": {}}
    case = Case(studio, sitter, portrait, face, find_occluders(portrait.image, face))
    wanted, unseen = case.wanted()
    bare = replace(case, portrait=replace(portrait, image=wiped(portrait.image, face, case.hidden)))
    ways = {name: case.way(config, wanted) for name, config in WAYS.items()}
    wiped_ways = {WIPED + name: bare.way(config, wanted) for name, config in WAYS.items()}
    measures = {PHOTO: case.as_photo(wanted), **ways, **wiped_ways}
    return {"found": True, "width": face.width, "unseen": unseen, "ways": measures}


@dataclass(frozen=True, eq=False)
class Case:
    """One portrait as composed. face: of its sitter in it. hidden: what covers the face, the same for every way."""

    studio: Studio
    sitter: Sitter
    portrait: Portrait
    face: Face
    hidden: Mask

    def wanted(self) -> tuple[Wanted, dict[str, int]]:
        """The moles of the photo that the portrait can show, and how many others there are by reason."""
        _, judged = self.sitter.used(self.portrait)
        size = self.portrait.image.shape[0], self.portrait.image.shape[1]
        moles = [mark for mark in judged.points if mark.kind == "mole"]
        reasons = [why_unseen(mark, self.face, size, self.hidden) for mark in moles]
        marks = tuple(mark for mark, reason in zip(moles, reasons, strict=True) if reason is None)
        wanted = Wanted(marks, self._as_small(marks), self.sitter.are_sure(marks, judged.face))
        return wanted, dict(Counter(reason for reason in reasons if reason is not None))

    def way(self, config: TransferConfig, wanted: Wanted) -> Record:
        """The portrait finished in one way, and judged."""
        finished = self.studio.finished(self.portrait, self.sitter, self.face.centre, config)
        image, drawn = finished.image, finished.measures["people"][0].get("marks", {}).get("put", [])
        # Marks do not move a face: what differs between the ways is the marks, not the mesh read anew.
        points, _ = marks_in(image, self.face, self.studio.judge, self.hidden)
        seen = replace(self.face, embedding=self.studio.reader.embed(image, self.face))
        likeness = measure_likeness(seen, self.sitter.references, self.portrait.sources)
        judged = judged_record(Judged(self.face, points), self.sitter, wanted)
        return {**judged, "drawn": len(drawn), "distance": likeness.best_distance}

    def as_photo(self, wanted: Wanted) -> Record:
        """What the judge finds in the photo itself at the portrait's size: no portrait can be expected to show more."""
        image, face = self._small_photo()
        points, _ = marks_in(image, face, self.studio.judge, find_occluders(image, face))
        return judged_record(Judged(face, points), self.sitter, wanted)

    def _small_photo(self) -> tuple[Image, Face]:
        """The photo that the portrait was made from, with as many pixels a millimetre."""
        photo, _ = self.sitter.used(self.portrait)
        factor = millimetres_per_pixel(photo.face) / millimetres_per_pixel(self.face)
        return reduced(photo.picture.pixels(), photo.face, factor)

    def _as_small(self, marks: Sequence[PointMark]) -> tuple[PointMark | None, ...]:
        """The marks measured anew, at the same places, in the small photo: what a picture of that size can show."""
        view = skin_view(*self._small_photo())
        again = []
        for mark in marks:
            at = place(mark.anchor, view.face)[None]
            found = measured(FoundMark(mark.kind, at, mark.diameter_mm / view.mm, mark.confidence), view)
            again.append(found if isinstance(found, PointMark) else None)
        return tuple(again)


def judged_record(there: Judged, sitter: Sitter, wanted: Wanted) -> Record:
    """Which of the wanted moles the judge finds again, in what colour, and how many marks are none of the sitter's."""
    rows = zip(wanted.marks, wanted.small, wanted.is_sure, found_again(wanted.marks, there), strict=True)
    moles = [
        {
            "mm": mark.diameter_mm,
            "is_sure": is_sure,
            "is_found": again is not None,
            "colour": colour_error(small, again) if small is not None and again is not None else None,
            "full_colour": colour_error(mark, again) if again is not None else None,
        }
        for mark, small, is_sure, again in rows
    ]
    return {"moles": moles, "false": false_marks(sitter.marks.marks, there)}


def transfer_table(records: Sequence[Record]) -> str:
    """All portraits together, a way a row."""
    made = [record for record in records if record["found"]]
    rows = [_row(name, [record["ways"][name] for record in made]) for name in made[0]["ways"]] if made else []
    unseen: Counter[str] = sum((Counter(record["unseen"]) for record in made), Counter())
    left = ", ".join(f"{count} {reason}" for reason, count in unseen.most_common()) or "none"
    lost = len(records) - len(made)
    return (
        f"{table(_HEAD, [*rows, _TARGET])}\nMoles no portrait could show: {left}. Portraits without a face: {lost}.\n"
    )


def _row(name: str, measures: Sequence[Mapping[str, Any]]) -> list[str]:
    moles = [mole for one in measures for mole in one["moles"]]
    distances = [one["distance"] for one in measures if one.get("distance") is not None]
    return [
        name,
        str(len(measures)),
        number(_mean([one["drawn"] for one in measures if "drawn" in one])),
        str(len(moles)),
        percent(_mean([mole["is_found"] for mole in moles])),
        percent(_mean([mole["is_found"] for mole in moles if mole["is_sure"]])),
        number(_median([mole["colour"] for mole in moles if mole["colour"] is not None])),
        number(_median([mole["full_colour"] for mole in moles if mole["full_colour"] is not None])),
        number(_mean([one["false"] for one in measures])),
        number(_mean(distances), 3),
    ]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None
