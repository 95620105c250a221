"""Pictures laid into one frame, so that heads of photos and of drawings lie at about the same place.

Photos are framed by the mesh of the face (FFHQ framing). Drawn heads have no mesh: a set of one design is framed by one
crop, written down once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from portraitist.errors import ConfigError, InputError
from portraitist.faces.align import align_portrait
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.progress import Report, Step, silent
from portraitist.stylize.domain import FEW, Domain, DomainNote
from portraitist.types import Image

LEAST_PART = 0.5
"""A face is left out when it is narrower than this part of the frame's side: enlarged faces teach blur."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
Frame = Callable[[Image, int], list[Image]]
"""From a picture and the side in pixels to its framed faces; none where there is nothing to frame."""


@dataclass(frozen=True)
class Crop:
    """A square of a picture, in parts of its sides: what a set of drawings is framed by.

    >>> Crop(0.1, 0.0, 0.8)(np.zeros((100, 100, 3), np.uint8), 64)[0].shape
    (64, 64, 3)
    """

    left: float = 0.0
    top: float = 0.0
    part: float = 1.0

    def __post_init__(self) -> None:
        if not (self.left >= 0 and self.top >= 0 and self.part > 0 and max(self.left, self.top) + self.part <= 1.0001):
            raise ConfigError(f"{self}: expected a square inside the picture, in parts of its side from 0 to 1")

    def __call__(self, image: Image, side: int) -> list[Image]:
        """The one framed picture; of an oblong one the middle square is taken first."""
        square = _middle_square(image)
        whole = square.shape[0]
        x, y, size = (round(value * whole) for value in (self.left, self.top, self.part))
        cut = square[y : y + size, x : x + size]
        method = cv2.INTER_AREA if cut.shape[0] > side else cv2.INTER_CUBIC
        return [np.asarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)]


@dataclass(frozen=True)
class FaceFrame:
    """Every face of a photo that is large enough, in FFHQ framing."""

    reader: FaceReader
    least_part: float = LEAST_PART

    def __call__(self, image: Image, side: int) -> list[Image]:
        """The framed faces from left to right."""
        faces = [face for face in self.reader.read(image, embed=False) if face.width >= self.least_part * side]
        return [align_portrait(image, face.landmarks, side)[0] for face in faces]


def frame_pictures(
    name: str, paths: Iterable[tuple[Path, str]], frame: Frame, side: int, note: DomainNote, report: Report = silent
) -> Domain:
    """A domain of the pictures (path, name to keep); those without anything to frame or that cannot be read are left
    out and reported. Raises InputError when none is left."""
    listed, images, names = list(paths), [], []
    for number, (path, kept_as) in enumerate(listed, start=1):
        framed, why = _framed(path, frame, side)
        images += framed
        names += [kept_as] * len(framed)
        report(Step("prepare", number, len(listed), f"! {kept_as}: {why}" if why else kept_as))
    if not images:
        raise InputError(f"domain {name}: none of {len(listed)} pictures can be used; expected faces or drawn heads")
    if len(images) < FEW:
        report(Step("prepare", message=f"! {name}: {len(images)} pictures, fewer than {FEW}; use the few-shot preset"))
    return Domain(name, np.stack(images), tuple(names), note)


def frame_folder(
    folder: Path, frame: Frame, side: int, note: DomainNote, *, name: str = "", report: Report = silent
) -> Domain:
    """A domain of every picture in a folder, in the order of their names."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES) if folder.is_dir() else []
    if not files:
        raise InputError(f"{folder}: expected a folder with pictures ({', '.join(PICTURES)}), found none")
    return frame_pictures(name or folder.name, [(p, p.name) for p in files], frame, side, note, report)


def _framed(path: Path, frame: Frame, side: int) -> tuple[list[Image], str]:
    """The framed faces, and why there are none."""
    try:
        framed = frame(open_photo(path).pixels(), side)
    except InputError as error:
        return [], str(error)
    return framed, "" if framed else "no face, or too small a one"


def _middle_square(image: Image) -> Image:
    h, w = image.shape[:2]
    size = min(h, w)
    top, left = (h - size) // 2, (w - size) // 2
    return image[top : top + size, left : left + size]
