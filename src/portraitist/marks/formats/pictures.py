"""The photos that annotations are about: their size, read from the header."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from portraitist.errors import InputError
from portraitist.image import open_photo

Size = tuple[int, int]
"""(w, h) in pixels."""


@dataclass(frozen=True)
class Pictures:
    """Where the photos may be. are_required: a photo that is in none of the folders is an error."""

    folders: tuple[Path, ...]
    are_required: bool

    @classmethod
    def beside(cls, path: Path, images: Path | None) -> Pictures:
        """The folder given; else `images` beside the annotations, and the folder they are in.

        Raises InputError when the folder given is none.
        """
        if images is None:
            return cls((path.parent / "images", path.parent), False)
        if not images.is_dir():
            raise InputError(f"{images}: expected the folder of the annotated photos, found none there; check the path")
        return cls((images,), True)

    def size(self, file: str, stated: Size | None) -> Size | None:
        """(w, h) as displayed, from the photo's header; `stated` when there is no photo.

        Raises InputError when the photo is missing but required, cannot be read, or is of another size than stated.
        """
        found = self._read(file)
        if found is None and self.are_required:
            raise InputError(
                f"expected the photo {file!r} in {self.folders[0]}, found none; correct the name or copy it"
            )
        if found and stated and found != stated:
            shown = f"{stated[0]} x {stated[1]} pixels, the photo has {found[0]} x {found[1]}"
            raise InputError(f"{file!r}: the annotation says {shown}; annotate this very file")
        return found or stated

    def path(self, file: str) -> Path | None:
        """Where the photo is; None when it is in none of the folders."""
        # Not Path.is_file, which raises for a name too long for the file system.
        return next((folder / file for folder in self.folders if os.path.isfile(folder / file)), None)

    def _read(self, file: str) -> Size | None:
        path = self.path(file)
        if path is None:
            return None
        # With a digest given only the header is read; nothing here looks at the digest.
        height, width = open_photo(path, digest="-").size
        return width, height
