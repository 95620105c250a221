"""`marks annotate`: the photos of a folder, what is marked on each, and the file that every change is written to."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist.album.scan import scan
from portraitist.errors import InputError
from portraitist.image import Photo, encode_image, open_photo
from portraitist.marks.annotation import AnnotatedImage, checked_file
from portraitist.marks.formats import read_annotations
from portraitist.marks.formats.own import plain_image, read_own_image, write_own
from portraitist.marks.formats.pictures import Pictures
from portraitist.marks.formats.rows import Notes

SUFFIX = ".marks.json"
DEFAULT_NAME = "annotations" + SUFFIX
SHOWN_SIDE = 4096
"""Longest side of what the page gets. Points stay in pixels of the photo."""
SHOWN_QUALITY = 95


class SavedElsewhere(InputError):
    """The photo's marks were changed by somebody else since the page got them."""


@dataclass(frozen=True)
class ListedPhoto:
    """A photo of the folder. file: relative, with slashes. size: (w, h) in pixels as displayed."""

    file: str
    size: tuple[int, int]


class AnnotatedFolder:
    """Photos are named by their place in `photos`, never by a path. Calls may come from several threads.

    left_out: one sentence for each file that is no photo.
    """

    def __init__(self, folder: Path, out: Path, photos: Sequence[ListedPhoto], left_out: Sequence[str]) -> None:
        self.folder, self.out = folder, out
        self.photos, self.left_out = tuple(photos), tuple(left_out)
        self._lock = threading.Lock()
        self._seen = _stamp(out)
        self._images = _read(out)

    @classmethod
    def open(cls, folder: Path, out: Path | None = None) -> AnnotatedFolder:
        """The photos under `folder`, and the annotations that `out` has (default: `annotations.marks.json` in it).

        Raises InputError when there is no photo, when `out` is not called *.marks.json, when what it holds cannot be
        read as a whole (the rest would be lost with the first change), and when it is about photos of another size.
        """
        folder = Path(os.path.abspath(folder.expanduser()))
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder of photos, found none there; check the path")
        out = folder / DEFAULT_NAME if out is None else Path(os.path.abspath(out.expanduser()))
        if not out.name.endswith(SUFFIX):
            raise InputError(f"{out.name}: expected a file name that ends in {SUFFIX}; choose one, it will be written")
        photos, left_out = _list(folder)
        if not photos:
            raise InputError(f"{folder}: expected photos in it, found {len(left_out)} other files; check the path")
        opened = cls(folder, out, photos, left_out)
        opened._check_sizes()
        return opened

    def picture(self, index: int) -> bytes:
        """The upright photo as JPEG, at most `SHOWN_SIDE` pixels long. Raises InputError when it cannot be decoded."""
        return encode_image(self.photo(index).pixels(SHOWN_SIDE), "jpeg", quality=SHOWN_QUALITY)

    def photo(self, index: int) -> Photo:
        """The photo itself. Raises InputError when it is gone, or of another size than when it was listed."""
        listed = self.photos[index]
        photo = open_photo(self.folder / listed.file)
        if photo.size != listed.size[::-1]:
            was, (height, width) = "{} x {}".format(*listed.size), photo.size
            raise InputError(f"{listed.file}: was {was} pixels, now {width} x {height}; start the annotation anew")
        return photo

    def saved(self, index: int) -> AnnotatedImage | None:
        """What the file has about a photo; None when nobody has looked at it."""
        return self._images.get(self.photos[index].file)

    def revision(self, index: int) -> str:
        """Changes whenever what is saved about the photo changes; empty when nothing is."""
        return _revision(self.saved(index))

    def save(self, index: int, row: Mapping[str, Any], before: str) -> str:
        """Replace what is saved about a photo; returns the new revision. When it returns, the file is on the disk.

        row: `marks` and `crowded` as in the file, and `done`: with no marks, true says that somebody looked and there
        are none, false takes the photo out of the file. before: the revision that was changed.

        Raises InputError for what cannot be written, and nothing is; SavedElsewhere when `before` is not the last.
        """
        image = self._checked(index, row)
        with self._lock:
            self._follow()
            if self.revision(index) not in (before, _revision(image)):
                file = self.photos[index].file
                raise SavedElsewhere(f"{file}: was changed elsewhere, in another tab perhaps; load the photo again")
            kept = {**self._images, self.photos[index].file: image}
            self._write({file: entry for file, entry in kept.items() if entry is not None})
        return _revision(image)

    def _checked(self, index: int, row: Mapping[str, Any]) -> AnnotatedImage | None:
        if not isinstance(row.get("done"), bool):
            raise InputError("done: expected true or false; load the page again")
        photo, file = self.photo(index), self.photos[index].file
        width, height = self.photos[index].size
        facts = {"file": file, "width": width, "height": height, "sha256": photo.digest}
        notes = Notes(file)
        # A bad mark is noted before the image is given up for it: the first problem is the one to tell.
        with notes.row("annotation"):
            image = read_own_image({**row, **facts}, notes, Pictures((self.folder,), True))
        if notes.problems:
            raise InputError(f"{file}, {notes.problems[0].entry}: {notes.problems[0].what}")
        return image if image.marks or image.crowded or row["done"] else None

    def _follow(self) -> None:
        """Somebody else may have written the file: what they have about other photos is kept."""
        now = _stamp(self.out)
        # A file that is gone comes back with everything in it: to lose work is worse.
        if now is not None and now != self._seen:
            self._images, self._seen = _read(self.out), now

    def _write(self, images: dict[str, AnnotatedImage]) -> None:
        if images:
            write_own(self.out, list(images.values()))
        else:
            # A file without annotations would be refused by whoever reads it.
            self.out.unlink(missing_ok=True)
        self._images, self._seen = images, _stamp(self.out)

    def _check_sizes(self) -> None:
        for index, photo in enumerate(self.photos):
            saved = self.saved(index)
            if saved is not None and saved.size is not None and saved.size != photo.size:
                found = "{} x {} pixels, the photo has {} x {}".format(*saved.size, *photo.size)
                raise InputError(f"{self.out.name}: {photo.file} was annotated at {found}; choose another --out")


def _list(folder: Path) -> tuple[list[ListedPhoto], list[str]]:
    """The photos, by their headers, and a sentence for everything else but annotations."""
    found = scan([folder])
    photos, left_out = list[ListedPhoto](), [rejected.reason for rejected in found.rejected]
    for path in (file.path for file in found.files if not file.path.name.endswith(SUFFIX)):
        try:
            name = checked_file(path.relative_to(folder).as_posix())
            # With a digest given only the header is read.
            height, width = open_photo(path, digest="-").size
        except InputError as error:
            left_out.append(str(error))
        else:
            photos.append(ListedPhoto(name, (width, height)))
    return photos, left_out


def _read(out: Path) -> dict[str, AnnotatedImage]:
    if not out.exists():
        return {}
    imported = read_annotations(out)
    if imported.problems:
        more = f" and {len(imported.problems) - 1} more" if len(imported.problems) > 1 else ""
        raise InputError(f"{imported.problems[0]}{more}; mend the file or choose another --out, nothing was changed")
    return {image.file: image for image in imported.images}


def _revision(image: AnnotatedImage | None) -> str:
    return "" if image is None else hashlib.sha256(json.dumps(plain_image(image)).encode()).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells one state of a file from another: every atomic write makes a new file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
