"""What is painted: photos, the album or the portraits of a sitter, videos, cameras."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.errors import InputError
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.provenance import Input, saved_portraits
from portraitist.tasks.paint_config import PaintRequest
from portraitist.tasks.sitting import Cast
from portraitist.types import Picture

_CAMERA = re.compile(r"camera(?::(\d+))?")
_FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".3gp", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
"""Names of videos; everything else is taken for a photo and told by its content."""


@dataclass(frozen=True)
class Still:
    """A picture to paint. title: begins its file's name. kind: the source type of its pixels, see `provenance`."""

    picture: Picture
    title: str
    entry: Input
    kind: str = "composite"


def camera_number(source: str) -> int | None:
    """0 of `camera`, 1 of `camera:1`; None for anything else."""
    found = _CAMERA.fullmatch(source)
    return int(found.group(1) or 0) if found else None


def is_video(source: str) -> bool:
    """True for a file that is named like a video."""
    return Path(source).suffix.lower() in _FILMS


def stills(library: Library, sources: Sequence[str], request: PaintRequest) -> Iterator[Still | InputError]:
    """Every picture that the sources name; one that cannot be opened comes as its error, so that the rest go on.

    Raises InputError for a source that is neither a file nor a sitter.
    """
    for source in sources:
        path = Path(source).expanduser()
        if path.is_file():
            yield _photo(path)
        elif path.exists() or path.suffix or len(path.parts) > 1:
            yield InputError(f"{source}: expected a photo, a video or a sitter; found no such file")
        elif request.of == "portraits":
            yield from _portraits(library, source)
        else:
            yield from _album(library, source)


def source_of(library: Library, entry: Input) -> Still:
    """The picture of a recipe again. Raises InputError when it is gone or was changed."""
    if entry.role == "album":
        found = [still for still in _album(library, entry.sitter or "") if still.entry.digest == entry.digest]
        if not found:
            raise InputError(f"{entry.path}: not in the album of {entry.sitter} any more; add the original photo again")
        return found[0]
    still = _photo(Path(entry.path))
    if isinstance(still, InputError):
        raise still
    if still.entry.digest != entry.digest:
        raise InputError(f"{entry.path}: was changed since it was painted; put the original back")
    return still


def _photo(path: Path) -> Still | InputError:
    try:
        photo = open_photo(path)
    except InputError as error:
        return error
    return Still(photo, path.stem, Input("photo", photo.digest, str(path.resolve())))


def _album(library: Library, name: str) -> Iterator[Still]:
    cast = Cast.of(library, name)
    for number, (photo, reference) in enumerate(zip(cast.album.accepted, cast.everyone, strict=True)):
        title = f"{Path(photo.path).stem}-{number + 1:02d}"
        yield Still(reference.picture, title, Input("album", photo.digest, photo.path, name))


def _portraits(library: Library, name: str) -> Iterator[Still | InputError]:
    for portrait in saved_portraits(library.sitter(name).portraits_dir):
        if portrait.recipe.task == "paint":
            continue
        found = _photo(portrait.path)
        if isinstance(found, InputError):
            yield found
            continue
        entry = Input("portrait", found.entry.digest, found.entry.path, name)
        yield Still(found.picture, found.title, entry, portrait.recipe.source_type)
