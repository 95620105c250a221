"""Views of faces with what is marked on them: what the detector learns from, and what detectors are measured on."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.faces.pose import estimate_pose
from portraitist.faces.regions import polygon_mask
from portraitist.geometry import bounding_box
from portraitist.library import write_atomic
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.kinds import KINDS
from portraitist.marks.view import SkinView, skin_view
from portraitist.types import Face, Image, Mask

if TYPE_CHECKING:
    from portraitist.faces.reader import FaceReader

JPEG_QUALITY = 95
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]


@dataclass(frozen=True, eq=False)
class LabelledView:
    """marks: in pixels of the view. ignore: (side, side) above 0 where nobody knows what there is.

    name: of the photo it shows, so that views of one photo stay on one side when some are held back.
    """

    view: SkinView
    marks: tuple[AnnotatedMark, ...]
    ignore: Mask
    name: str = ""


def labelled(image: Image, face: Face, annotated: AnnotatedImage, side: int) -> LabelledView:
    """The view of an annotated face. Marks beyond the view are left out."""
    view = skin_view(image, face, side)
    marks = [_moved(mark, view) for mark in annotated.marks]
    inside = tuple(mark for mark in marks if (mark.points >= 0).all() and (mark.points <= side).all())
    crowded = [view.from_photo(polygon) for polygon in annotated.crowded]
    ignore = polygon_mask((side, side), crowded) if crowded else np.zeros((side, side), np.float32)
    return LabelledView(view, inside, ignore, annotated.file)


def label_photo(image: Image, annotated: AnnotatedImage, reader: FaceReader, side: int) -> LabelledView:
    """The view of the largest face of an annotated photo. Raises InputError where there is no face."""
    faces = reader.read(image, embed=False)
    if not faces:
        raise InputError(f"{annotated.file}: expected a face, found none; leave this photo out")
    return labelled(image, max(faces, key=lambda face: face.width), annotated, side)


def write_labelled(path: Path, item: LabelledView) -> Path:
    """One file a view, atomic: the picture as JPEG, the masks as PNG, everything else as arrays."""
    view, masks = item.view, np.zeros((*item.view.skin.shape, 3), np.uint8)
    masks[..., 0], masks[..., 1] = np.round(255 * view.skin), np.where(item.ignore > 0, 255, 0)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        picture=cv2.imencode(".jpg", view.pixels[..., ::-1], _JPEG)[1].ravel(),
        masks=cv2.imencode(".png", masks)[1].ravel(),
        landmarks=view.face.landmarks.astype(np.float32),
        matrix=view.matrix,
        name=np.frombuffer(item.name.encode(), np.uint8),
        kinds=np.array([KINDS.index(mark.kind) for mark in item.marks], np.uint8),
        is_sure=np.array([mark.is_sure for mark in item.marks], np.bool_),
        diameters=np.array([mark.diameter or np.nan for mark in item.marks], np.float32),
        points=np.concatenate([np.zeros((0, 2), np.float32), *(mark.points for mark in item.marks)]),
        ends=np.cumsum([len(mark.points) for mark in item.marks]).astype(np.int64),
    )
    return write_atomic(path, buffer.getvalue())


def read_labelled(path: Path) -> LabelledView:
    """What `write_labelled` wrote. Raises InputError when it is something else."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _unpacked({name: arrays[name] for name in arrays.files})
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, cv2.error) as error:
        raise InputError(f"{path}: expected a labelled view, found something else ({error}); make it again") from error


def _unpacked(arrays: dict[str, NDArray[np.generic]]) -> LabelledView:
    pixels = np.ascontiguousarray(_decoded(arrays["picture"])[..., ::-1])
    masks = np.asarray(_decoded(arrays["masks"]) / np.float32(255), np.float32)
    landmarks = np.asarray(arrays["landmarks"], np.float32)
    box = bounding_box(landmarks[:, :2])
    face = Face(box, landmarks, 1.0, 1.0, estimate_pose(landmarks))
    view = SkinView(pixels, np.ascontiguousarray(masks[..., 0]), face, np.asarray(arrays["matrix"], np.float64))
    name = arrays["name"].tobytes().decode()
    return LabelledView(view, _marks(arrays), np.ascontiguousarray(masks[..., 1]), name)


def _decoded(data: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.asarray(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _marks(arrays: dict[str, NDArray[np.generic]]) -> tuple[AnnotatedMark, ...]:
    lines = np.split(np.asarray(arrays["points"], np.float32), arrays["ends"][:-1]) if len(arrays["ends"]) else []
    rows = zip(arrays["kinds"], lines, arrays["diameters"], arrays["is_sure"], strict=True)
    return tuple(
        AnnotatedMark(KINDS[int(kind)], line, float(size) if np.isfinite(size) else None, bool(sure))
        for kind, line, size, sure in rows
    )


def _moved(mark: AnnotatedMark, view: SkinView) -> AnnotatedMark:
    """The mark in pixels of the view."""
    diameter = None if mark.diameter is None else mark.diameter * view.scale
    return AnnotatedMark(mark.kind, view.from_photo(mark.points), diameter, mark.is_sure)


@dataclass(frozen=True)
class LabelledFolder:
    """Views on disk, in the order of their names. Making one needs no file to be read."""

    paths: tuple[Path, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> LabelledFolder:
        """All views of a folder."""
        return cls(tuple(sorted(folder.glob("*.npz"))))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> LabelledView:
        return read_labelled(self.paths[index])
