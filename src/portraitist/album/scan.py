"""Finding the files of an add: folders recursively, in one order on every machine, each odd thing with its reason."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.album.config import DEFAULT_ALBUM, AlbumConfig
from portraitist.album.values import Rejection
from portraitist.errors import InputError
from portraitist.image import check_file

_LITTER = {"thumbs.db", "desktop.ini", "icon\r"}
_VIDEO_SUFFIXES = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".3gp", ".mts", ".mpg", ".mpeg"}
_STILL_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


@dataclass(frozen=True)
class FoundFile:
    """A regular file within the limits. `size` in bytes, `modified` in nanoseconds."""

    path: Path
    size: int
    modified: int


@dataclass(frozen=True)
class Scan:
    """What an add has to read, and what it cannot."""

    files: tuple[FoundFile, ...]
    rejected: tuple[Rejection, ...]


def scan(paths: Sequence[str | Path], config: AlbumConfig = DEFAULT_ALBUM) -> Scan:
    """Every file under `paths` (files or folders), absolute, once each, in order of the normalised path.

    Hidden files and system litter are passed over in silence. Raises InputError when a path given by the user
    does not exist.
    """
    rejected: list[Rejection] = []
    found: dict[str, FoundFile] = {}
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise InputError(f"{path}: does not exist; check the path")
        for candidate in _walk(Path(os.path.abspath(path)), set(), rejected):
            if len(found) >= config.max_files:
                reason = (
                    f"the limit of {config.max_files:,} files was reached; this file and those after it were not read"
                )
                rejected.append(Rejection(str(candidate), "limit", reason))
                break
            _take(candidate, config, found, rejected)
    return Scan(tuple(found[key] for key in sorted(found)), tuple(rejected))


def is_video(path: Path) -> bool:
    """True when the content (or, for streams without a header, the name) is a video container."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL_BRANDS
    if head.startswith((b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba")) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    return path.suffix.lower() in _VIDEO_SUFFIXES


def _take(path: Path, config: AlbumConfig, found: dict[str, FoundFile], rejected: list[Rejection]) -> None:
    if not _is_unicode(path):
        shown = os.fsencode(path).decode("utf-8", "replace")
        rejected.append(Rejection(shown, "unreadable", f"{Path(shown).name}: its name is not valid Unicode; rename it"))
        return
    try:
        limit = config.max_video_bytes if path.suffix.lower() in _VIDEO_SUFFIXES else config.max_bytes
        status = check_file(path, limit)
    except InputError as error:
        rejected.append(Rejection(str(path), "unreadable", str(error)))
        return
    # NFC first: macOS and Linux spell the same name differently; the raw path breaks ties between the two spellings.
    key = f"{unicodedata.normalize('NFC', str(path))}\0{path}"
    found[key] = FoundFile(path, status.st_size, status.st_mtime_ns)


def _is_unicode(path: Path) -> bool:
    """Linux lets a name be any bytes; JSON and reports cannot hold those."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _walk(path: Path, above: set[tuple[int, int]], rejected: list[Rejection]) -> Iterator[Path]:
    """Files under `path`. `above` holds the folders on the way down, so a link back up ends instead of looping."""
    try:
        if not path.is_dir():
            yield path
            return
        status = path.stat()
        names = sorted(os.listdir(path), key=lambda name: (unicodedata.normalize("NFC", name), name))
    except OSError as error:
        shown = os.fsencode(path).decode("utf-8", "replace")
        reason = f"{Path(shown).name}: cannot be read ({error.strerror or 'unreadable'})"
        rejected.append(Rejection(shown, "unreadable", reason))
        return
    here = (status.st_dev, status.st_ino)
    if here in above:
        reason = f"{path.name}: is a link to a folder that contains it; the loop was not followed"
        rejected.append(Rejection(str(path), "loop", reason))
        return
    for name in names:
        if not name.startswith(".") and name.lower() not in _LITTER:
            yield from _walk(path / name, above | {here}, rejected)
