"""A folder of weights: its `digests.json` lists every file with digest and size, and has a digest of its own.

The list is `{relative path: {"sha256": ..., "bytes": ...}}`. Files beside it that it does not name are not looked at.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from portraitist.downloads import download, sha256_of
from portraitist.errors import WeightsError
from portraitist.library import write_json
from portraitist.progress import Report, Step

LIST = "digests.json"


@dataclass(frozen=True)
class ListedFile:
    """One file of the list. path: below the folder, with slashes. size: bytes."""

    path: str
    sha256: str
    size: int


def listed_files(folder: Path) -> tuple[ListedFile, ...]:
    """What `digests.json` in the folder names. Raises WeightsError for another shape or a path out of the folder."""
    source = folder / LIST
    try:
        entries = json.loads(source.read_bytes())
        files = tuple(ListedFile(path, str(e["sha256"]), int(e["bytes"])) for path, e in entries.items())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(
            f"{source}: expected {{path: {{sha256, bytes}}}}, found something else ({error!r}); fetch the weights again"
        ) from error
    for file in files:
        if not _stays_inside(file.path):
            raise WeightsError(f"{source}: expected paths inside the folder, found {file.path!r}; not used")
    return files


def write_list(folder: Path, files: Sequence[Path]) -> tuple[ListedFile, ...]:
    """Write `digests.json` of these files below the folder, and return what it names."""
    listed = [ListedFile(path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size) for path in files]
    entries = {file.path: {"sha256": file.sha256, "bytes": file.size} for file in sorted(listed, key=lambda f: f.path)}
    write_json(folder / LIST, entries)
    return tuple(listed)


def is_whole(folder: Path, sha256: str | None) -> bool:
    """True when the list has that digest (None: any) and every file it names is here with its size."""
    source = folder / LIST
    if not source.is_file() or sha256 not in (None, sha256_of(source)):
        return False
    return all(_has_size(folder, file) for file in listed_files(folder))


def is_intact(folder: Path, sha256: str | None) -> bool:
    """True when the folder is whole and every file has its digest: reads all of them."""
    return is_whole(folder, sha256) and all(_is_as_listed(folder, file) for file in listed_files(folder))


def fetch_folder(label: str, address: str, folder: Path, sha256: str | None, report: Report) -> None:
    """Download the list, then each file that is not here as listed: what an earlier try fetched is kept.

    label: what messages call the folder. address: of the folder. Raises WeightsError as `download` does.
    """
    source = folder / LIST
    if sha256 is None or not source.is_file() or sha256_of(source) != sha256:
        download(f"{label}: {LIST}", f"{address}/{LIST}", source, sha256)
    files = listed_files(folder)
    for number, file in enumerate(files):
        report(Step("weights", number, len(files), f"{label}: {file.path}"))
        if not _is_as_listed(folder, file):
            part = f"{address}/{urllib.parse.quote(file.path)}"
            download(f"{label}: {file.path}", part, folder / file.path, file.sha256)


def _stays_inside(path: str) -> bool:
    """True for a plain relative path on every system, other than the list itself."""
    parts = PureWindowsPath(path).parts
    plain = str(PurePosixPath(path)) == path and "\\" not in path and ":" not in path and "\0" not in path
    return plain and bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts and path != LIST


def _has_size(folder: Path, file: ListedFile) -> bool:
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.size


def _is_as_listed(folder: Path, file: ListedFile) -> bool:
    return _has_size(folder, file) and sha256_of(folder / file.path) == file.sha256
