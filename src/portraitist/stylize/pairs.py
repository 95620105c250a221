"""Pairs: a photo of a face and the same face painted, in the same frame, as folders of PNG files.

`photos/NAME.png`, `painted/NAME.png`, where there is one `masks/NAME.png`, and `pairs.json`: what they are and whose.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from portraitist.errors import InputError
from portraitist.library import read_json, write_atomic, write_json
from portraitist.options import from_mapping
from portraitist.types import Image, Mask

PHOTOS, PAINTED, MASKS, NOTE = "photos", "painted", "masks", "pairs.json"
OF_GENERATOR = "generator-pairs"
"""The folder of stage 1's pairs in a run."""


@dataclass(frozen=True)
class PairNote:
    """Where the pairs are from, and what may be done with a painter that learns from them.

    made_by: the stage or the rendering that painted. is_exact: the painting is the photo's own, pixel by pixel. part:
    of the FFHQ frame that they show. lift: L* that darker faces were lifted to while they were painted, 0 for none.
    style: name of the set of style pictures, "" where there is none. stages: those the pairs came through, in order.
    noncommercial: what saw them is marked `nc`. attributions: of photos and style pictures. left_out: pairs refused by
    a filter, with the reason.
    """

    title: str
    made_by: str
    licence: str
    noncommercial: bool = False
    is_exact: bool = False
    part: float = 1.0
    lift: float = 0.0
    style: str = ""
    stages: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Pair:
    """photo, painted: (side, side, 3) in one frame. mask: (side, side) in [0, 1], None where the pairs have none."""

    name: str
    photo: Image
    painted: Image
    mask: Mask | None = None


@dataclass(frozen=True)
class PairFolder:
    """The pairs of a folder, by name, read when they are asked for."""

    path: Path
    names: tuple[str, ...]
    note: PairNote

    @classmethod
    def open(cls, path: Path) -> PairFolder:
        """Raises InputError when there are no pairs, or a photo without its painting."""
        note = from_mapping(PairNote, read_json(path / NOTE))
        refused = {name for name, _ in note.left_out}
        photos, painted = ({file.stem for file in (path / part).glob("*.png")} for part in (PHOTOS, PAINTED))
        if photos != painted:
            raise InputError(
                f"{path}: expected each photo with its painting, found only one of {min(photos ^ painted)}"
            )
        if not photos - refused:
            raise InputError(f"{path}: expected pairs in {PHOTOS}/ and {PAINTED}/, found none that may be learned from")
        return cls(path, tuple(sorted(photos - refused)), note)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Pair:
        """Raises InputError for a file that is no picture, or two of different sizes."""
        name = self.names[index]
        photo, painted = (_read(self.path / part / f"{name}.png") for part in (PHOTOS, PAINTED))
        if photo.shape != painted.shape:
            raise InputError(f"{self.path}: {name} is {photo.shape[:2]} and painted {painted.shape[:2]}; make it anew")
        mask = self.path / MASKS / f"{name}.png"
        opacity = np.asarray(_read(mask)[..., 0] / 255, np.float32) if mask.is_file() else None
        return Pair(name, photo, painted, opacity)

    @property
    def has_masks(self) -> bool:
        """Whether every pair says where it is painted."""
        return all((self.path / MASKS / f"{name}.png").is_file() for name in self.names)

    @property
    def digest(self) -> str:
        """Hex sha256 of names and files: a run goes on only with the pairs it began with."""
        digest = hashlib.sha256()
        for name in self.names:
            for part in (PHOTOS, PAINTED):
                digest.update(name.encode() + (self.path / part / f"{name}.png").read_bytes())
        return digest.hexdigest()


def write_pair(folder: Path, pair: Pair) -> None:
    """Into the folder, whole or not at all; the painting last, so that a kill leaves no painting without its photo."""
    _write(folder / PHOTOS / f"{pair.name}.png", pair.photo)
    if pair.mask is not None:
        _write(folder / MASKS / f"{pair.name}.png", np.round(pair.mask * 255).astype(np.uint8))
    _write(folder / PAINTED / f"{pair.name}.png", pair.painted)


def write_note(folder: Path, note: PairNote) -> Path:
    """What the pairs are."""
    return write_json(folder / NOTE, asdict(note))


def leave_out(pairs: PairFolder, reasons: dict[str, str]) -> PairFolder:
    """The folder without those pairs: their files stay, the note says why they are not learned from."""
    note = replace(pairs.note, left_out=(*pairs.note.left_out, *sorted(reasons.items())))
    write_note(pairs.path, note)
    return PairFolder.open(pairs.path)


def _read(path: Path) -> Image:
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path}: expected a PNG picture, cannot read it; make the pair anew")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


def _write(path: Path, picture: Image) -> None:
    bgr = picture[..., ::-1] if picture.ndim == 3 else picture
    write_atomic(path, cv2.imencode(".png", bgr)[1].tobytes())
