"""`detail`: fine detail of the skin in portraits over that of the sitter's photos, for every engine that runs here.

1 is as in the photos; below 0.8 skin is too smooth. Photos are taken as they are, and reduced to the portrait's pixels
a millimetre: a small face cannot show more, whoever draws it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.marks_portraits import SEED, Studio, template_paths
from benchmarks.marks_results import Record, number, results, table
from benchmarks.marks_texture import face_energy
from portraitist.compose.occlusion import find_occluders
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.marks.anchor import millimetres_per_pixel
from portraitist.marks.config import TransferConfig
from portraitist.provenance import SavedPortrait
from portraitist.scenes.values import BackdropScene
from portraitist.tasks.config import DrawRequest, ShootConfig
from portraitist.tasks.sitting import Cast
from portraitist.types import Image, Reference

BACKDROP = "studio-grey"
WORDS = 4
"""Portraits in words, of an identity."""
ROWS = ("compose, template", "compose, template, marks", "compose, head shot", "lora, template", "lora, words")
_HEAD = ("engine", "portraits", "to the photos", "as small", "below 0.8, as small")
_LEAST = 0.8


def detail(args: argparse.Namespace, folder: Path) -> str:
    """The ratios, an engine a row."""
    studio = Studio(args.data, args.split)
    paths = {path.stem: path for path in template_paths(args.data, args.split)}

    def make(name: str) -> Record:
        person, stem = name.split(", ")
        return _composed(studio, person, paths.get(stem))

    names = [f"{name}, {stem}" for stem in (*paths, "head shot") for name in studio.names(args.limit)]
    records = results(folder / f"detail-{args.split}", names, make)
    if args.identity:
        records += _identity_records(studio, args, folder, list(paths.values()))
    return detail_table(records)


def _composed(studio: Studio, person: str, template: Path | None) -> Record:
    """Without a template the head shot."""
    sitter = studio.sitter(person)
    if template is None:
        portrait = studio.compose(sitter, BackdropScene(BACKDROP))
        return {"rows": {ROWS[2]: ratios(studio, portrait.image, None, sitter.references)}}
    scene, slot = studio.scene(template)
    portrait, centre = studio.compose(sitter, scene, slot.number), slot.face.centre
    marked = studio.finished(portrait, sitter, centre, TransferConfig()).image
    images = {ROWS[0]: portrait.image, ROWS[1]: marked}
    return {"rows": {row: ratios(studio, image, centre, sitter.references) for row, image in images.items()}}


def ratios(
    studio: Studio, image: Image, centre: np.ndarray | None, photos: Sequence[Reference]
) -> Mapping[str, float | None]:
    """Energy of the portrait's skin over the median of the photos': as they are, and reduced. None without a face."""
    face = studio.face(image, centre)
    ours = None if face is None else face_energy(image, face, find_occluders(image, face))
    if face is None or ours is None:
        return {"full": None, "small": None}
    full, small = ([studio.detail(photo, mm) for photo in photos] for mm in (0.0, millimetres_per_pixel(face)))
    return {"full": _over(ours, full), "small": _over(ours, small)}


def _over(ours: float, theirs: Sequence[float | None]) -> float | None:
    known = [value for value in theirs if value]
    return ours / float(np.median(known)) if known else None


def _identity_records(studio: Studio, args: argparse.Namespace, folder: Path, paths: Sequence[Path]) -> list[Record]:
    """What was learned of somebody, painted into each template, and drawn in words."""
    library, name = Library(Path(args.identity[0])), args.identity[1]
    photos = Cast.of(library, name).everyone
    places = {path.stem: path for path in paths}

    def make(entry: str) -> Record:
        with tempfile.TemporaryDirectory(prefix="marks-") as out:
            path = places.get(entry)
            saved = _words(library, name, Path(out)) if path is None else _painted(library, name, path, Path(out))
            images = [open_photo(one.path).pixels() for one in saved]
        centre = None if path is None else studio.scene(path)[1].face.centre
        row = ROWS[4] if path is None else ROWS[3]
        return {"many": [{row: ratios(studio, image, centre, photos)} for image in images]}

    made = results(folder / f"detail-{name}", [*places, "words"], make)
    return [{"rows": rows} for record in made for rows in record["many"]]


def _painted(library: Library, name: str, template: Path, out: Path) -> list[SavedPortrait]:
    from portraitist.tasks.shoot import shoot

    return shoot(library, [name], ShootConfig(templates=(str(template),), engine="lora", seed=SEED), out=out)


def _words(library: Library, name: str, out: Path) -> list[SavedPortrait]:
    from portraitist.tasks.draw import draw

    return draw(library, name, DrawRequest(count=WORDS, seed=SEED), out=out).saved


def detail_table(records: Sequence[Record]) -> str:
    """Medians of an engine's portraits; engines without one are left out."""
    rows = [row for name in ROWS if (row := _row(name, list(_of(name, records))))]
    return table(_HEAD, [*rows, ("goal", "-", "-", "1", "0 %")])


def _of(name: str, records: Sequence[Record]) -> Iterator[Mapping[str, float | None]]:
    return (record["rows"][name] for record in records if name in record["rows"])


def _row(name: str, found: Sequence[Mapping[str, float | None]]) -> list[str]:
    full, small = ([value for one in found if (value := one[kind]) is not None] for kind in ("full", "small"))
    if not small:
        return []
    below = f"{100 * np.mean(np.less(small, _LEAST)):.0f} %"
    return [name, str(len(small)), number(float(np.median(full))), number(float(np.median(small))), below]
