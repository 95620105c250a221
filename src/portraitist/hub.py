"""Repositories of a model hub on this machine: fetched once, what came is written down, checked from then on.

Beside a repository's folder `NAME` lies `NAME.json`: hub, repository, revision, and digest and size of every file as
they were at the first download. When files are lost they come from the same revision and must have the same digests.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from portraitist.downloads import sha256_of
from portraitist.errors import WeightsError
from portraitist.library import read_json, write_json
from portraitist.progress import Report, Step
from portraitist.weight_folders import ListedFile


@dataclass(frozen=True)
class RemoteFile:
    """A file a hub offers. size: bytes. sha256: None where the hub does not say it."""

    path: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True)
class Listing:
    """What a repository holds at a revision."""

    revision: str
    files: tuple[RemoteFile, ...]


class Hub(Protocol):
    """A model hub. `address` tells one from another. Both methods raise WeightsError, and nothing else, on failure."""

    @property
    def address(self) -> str: ...

    def listing(self, repository: str, revision: str | None) -> Listing:
        """Revision and files; None asks for the newest revision."""
        ...

    def download(self, repository: str, revision: str, file: RemoteFile, folder: Path) -> None:
        """Put one file at its path below the folder; what an earlier try left of it is continued."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What to fetch. label: what messages call it. choose: which of the files. again: the command that tries again."""

    label: str
    repository: str
    revision: str | None
    folder: Path
    choose: Callable[[Sequence[RemoteFile]], Sequence[RemoteFile]]
    again: str


@dataclass(frozen=True)
class Record:
    """What the first download was."""

    hub: str
    repository: str
    revision: str
    files: tuple[ListedFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """sha256 of the list of digests, in the order of the paths."""
        listed = "".join(f"{file.sha256}  {file.path}\n" for file in sorted(self.files, key=lambda file: file.path))
        return hashlib.sha256(listed.encode()).hexdigest()


def record_path(folder: Path) -> Path:
    """Where the record of a repository's folder lies."""
    return folder.with_name(folder.name + ".json")


def read_record(folder: Path) -> Record | None:
    """The record of the first download, None before it. Raises WeightsError when it cannot be read."""
    path = record_path(folder)
    if not path.is_file():
        return None
    facts = read_json(path)
    try:
        files = tuple(ListedFile(name, str(f["sha256"]), int(f["bytes"])) for name, f in facts["files"].items())
        return Record(str(facts["hub"]), str(facts["repository"]), str(facts["revision"]), files)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{path}: expected the record of a download, found something else ({error!r}); remove it and fetch again"
        ) from error


def missing_files(folder: Path, record: Record) -> list[ListedFile]:
    """Files of the record that are not here with their size: reads none of them."""
    return [file for file in record.files if not _has_size(folder, file)]


def is_intact(folder: Path, record: Record) -> bool:
    """True when every file has its digest: reads all of them."""
    return not missing_files(folder, record) and not _changed_files(folder, record)


def fetch_repository(wanted: Wanted, hub: Hub, report: Report) -> Record:
    """Download what is not here, check every digest, write the record at the first download.

    Raises WeightsError when something cannot be had, the disk is too small, or a file is not what it was at first.
    """
    before = read_record(wanted.folder)
    report(Step("download", message=f"asking {hub.address} for {wanted.repository}"))
    listing = hub.listing(wanted.repository, _revision(wanted, hub, before))
    files = wanted.choose(listing.files)
    total = sum(file.size for file in files)
    report(Step("download", 0, len(files), f"{wanted.label}: {len(files)} files, {total / 1e6:.1f} MB in all"))
    _require_space(wanted, files)
    known = {file.path: file.sha256 for file in before.files} if before else {}
    for changed in _changed_files(wanted.folder, before) if before else ():
        (wanted.folder / changed.path).unlink()
    listed = []
    for number, file in enumerate(files):
        report(Step("download", number, len(files), f"{wanted.label}: {file.path} ({file.size / 1e6:.1f} MB)"))
        hub.download(wanted.repository, listing.revision, file, wanted.folder)
        listed.append(_checked(wanted, file, known.get(file.path)))
    if before is not None:
        return before
    record = Record(hub.address, wanted.repository, listing.revision, tuple(listed))
    _write_record(wanted.folder, record)
    report(Step("download", len(files), len(files), f"{wanted.label}: revision {record.revision}, first seen, stored"))
    return record


def _revision(wanted: Wanted, hub: Hub, before: Record | None) -> str | None:
    """The one asked for, else the one of the first download; revisions of another hub mean nothing here."""
    same = before is not None and before.hub == hub.address and before.repository == wanted.repository
    return wanted.revision or (before.revision if before and same else None)


def _require_space(wanted: Wanted, files: Sequence[RemoteFile]) -> None:
    wanted.folder.mkdir(parents=True, exist_ok=True)
    needed = sum(f.size for f in files if not _has_size(wanted.folder, ListedFile(f.path, "", f.size)))
    free = shutil.disk_usage(wanted.folder).free
    if needed > free:
        raise WeightsError(
            f"{wanted.label}: expected {needed / 1e9:.1f} GB free in {wanted.folder}, found {free / 1e9:.1f} GB; "
            f"make room, or set PORTRAITIST_CACHE to a folder on another disk, then '{wanted.again}'"
        )


def _checked(wanted: Wanted, file: RemoteFile, known: str | None) -> ListedFile:
    """The file's digest and size, once it is what the first download and the hub say. A wrong file is removed."""
    path = wanted.folder / file.path
    found = sha256_of(path)
    for expected, who in (
        (known, f"at the first download ({record_path(wanted.folder)})"),
        (file.sha256, "on the hub"),
    ):
        if expected not in (None, found):
            path.unlink()
            raise WeightsError(
                f"{wanted.label}: {file.path} expected sha256 {expected} as {who}, found {found}; not used. "
                f"Run '{wanted.again}' again; where the change is meant, remove that record first"
            )
    return ListedFile(file.path, found, path.stat().st_size)


def _write_record(folder: Path, record: Record) -> None:
    files = {file.path: {"sha256": file.sha256, "bytes": file.size} for file in record.files}
    facts = {"hub": record.hub, "repository": record.repository, "revision": record.revision, "files": files}
    write_json(record_path(folder), facts)


def _has_size(folder: Path, file: ListedFile) -> bool:
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.size


def _changed_files(folder: Path, record: Record) -> list[ListedFile]:
    here = [file for file in record.files if (folder / file.path).is_file()]
    return [file for file in here if sha256_of(folder / file.path) != file.sha256]
