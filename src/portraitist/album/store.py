"""The album on disk: `album.json`, one record a photo, and a log of which file has which record.

A record is written in one step when its photo was read, so a kill loses at most the photo in work. `seen.jsonl` only
saves hashing: a line lost or torn costs one hash, never a photo.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from portraitist.album.records import VERSION, shots_from_json
from portraitist.album.scan import FoundFile
from portraitist.album.values import AcceptedPhoto, Album, Coverage, CropRecipe, Rejection
from portraitist.errors import InputError
from portraitist.image import Photo, file_digest
from portraitist.library import read_json, write_atomic, write_json
from portraitist.types import Embedding, Picture, Reference

_BROKEN = (KeyError, TypeError, ValueError, AttributeError)


class Records:
    """The records of an album folder."""

    def __init__(self, folder: Path, reading: Mapping[str, Any]) -> None:
        self._folder = folder / "records"
        self._log = folder / "seen.jsonl"
        self._reading = dict(reading)
        self._digests = self._read_log()

    def known_digest(self, file: FoundFile) -> str | None:
        """The digest of a file that was seen at this path with this size and time."""
        return self._digests.get(_key(file))

    def load(self, digest: str) -> dict[str, Any] | None:
        """The record, or None when there is none of this version and these reading options."""
        return read_record(self._folder, digest, self._reading)

    def save(self, record: Mapping[str, Any]) -> None:
        """Write one record in one step."""
        write_atomic(_record_path(self._folder, record["digest"]), json.dumps(record).encode())

    def remember(self, file: FoundFile, digest: str) -> None:
        """Note that this file has that content."""
        if self._digests.get(_key(file)) == digest:
            return
        self._digests[_key(file)] = digest
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a+b") as log:
            # A torn last line from a killed run must not swallow this one.
            torn = log.seek(0, 2) > 0 and (log.seek(-1, 2), log.read(1))[1] != b"\n"
            log.write((b"\n" if torn else b"") + json.dumps([_key(file), digest]).encode() + b"\n")

    def _read_log(self) -> dict[str, str]:
        digests: dict[str, str] = {}
        if not self._log.is_file():
            return digests
        for line in self._log.read_bytes().splitlines():
            try:
                key, digest = json.loads(line)
            except ValueError:
                continue
            digests[str(key)] = str(digest)
        return digests


def read_record(folder: Path, digest: str, reading: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """A record of `folder`, or None when it is missing, torn, of another version, or read under other options."""
    try:
        record = json.loads(_record_path(folder, digest).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("version") != VERSION:
        return None
    return record if reading is None or record.get("reading") == dict(reading) else None


def thumbnail_of(folder: Path, record: str, index: int) -> bytes | None:
    """The small JPEG of a shot, for reports."""
    found = read_record(folder / "records", record)
    try:
        return base64.b64decode(found["shots"][index]["thumbnail"]) if found else None
    except (IndexError, *_BROKEN):
        return None


def load_references(folder: Path, photos: Sequence[AcceptedPhoto]) -> list[Reference]:
    """Pictures and the sitter's faces. Raises InputError when an original is gone or is another file now."""
    checked: dict[str, str] = {}
    return [_load_reference(folder, photo, checked) for photo in photos]


def _load_reference(folder: Path, photo: AcceptedPhoto, checked: dict[str, str]) -> Reference:
    record = read_record(folder / "records", photo.record)
    path = Path(photo.path)
    if record is None:
        raise InputError(f"{photo.file}: its record is gone; run 'album add' with the photo again")
    if not path.is_file():
        raise InputError(f"{path}: was moved or removed since it was added; put it back, or add it from its new place")
    if photo.path not in checked:  # A video is hashed once, not once a frame.
        checked[photo.path] = file_digest(path)
    if checked[photo.path] != photo.record:
        raise InputError(f"{path}: was changed since it was added; run 'album add' again")
    shot = shots_from_json(record, path, landmarks=True)[photo.index]
    return Reference(picture_of(path, photo, shot.orientation), shot.faces[photo.face])


def picture_of(path: Path, photo: AcceptedPhoto, orientation: int) -> Picture:
    """A handle on the photo, or on the frame of the video."""
    if photo.time is None:
        return Photo(path, photo.digest, photo.size, orientation)
    from portraitist.album.video import VideoFrame

    return VideoFrame(path, photo.digest, photo.size, photo.time)


def save(album: Album) -> Path:
    """Write `album.json` in one step."""
    return write_json(album.folder / "album.json", to_json(album))


def load(folder: Path) -> Album:
    """Read `album.json`. Raises InputError when there is none or it is not an album."""
    path = folder / "album.json"
    if not path.is_file():
        raise InputError(f"{folder}: has no album yet; run 'portraitist album add NAME PHOTOS'")
    data = read_json(path)
    try:
        return _from_json(folder, data)
    except _BROKEN as error:
        raise InputError(f"{path}: is not an album ({error}); remove it and run 'album add' again") from error


def save_me(folder: Path, embedding: Embedding) -> Path:
    """Remember who the sitter is, for albums without a majority person."""
    value = {"recogniser": embedding.recogniser, "vector": [float(v) for v in embedding.vector]}
    return write_json(folder / "me.json", value)


def load_me(folder: Path) -> Embedding | None:
    """What `save_me` wrote, or None."""
    path = folder / "me.json"
    if not path.is_file():
        return None
    data = read_json(path)
    return Embedding(np.asarray(data["vector"], np.float32), str(data["recogniser"]))


def to_json(album: Album) -> dict[str, Any]:
    """The album as people and scripts read it."""
    return {
        "version": VERSION,
        "reference": album.reference.file if album.reference else None,
        "accepted": [_accepted_to_json(photo, photo is album.reference) for photo in album.accepted],
        "rejected": [{"file": r.file, **asdict(r)} for r in album.rejected],
        "coverage": {"counts": dict(album.coverage.counts), "advice": list(album.coverage.advice)},
    }


def _accepted_to_json(photo: AcceptedPhoto, is_reference: bool) -> dict[str, Any]:
    return {"file": photo.file, "score": round(photo.score, 4), "is_reference": is_reference, **asdict(photo)}


def _from_json(folder: Path, data: Mapping[str, Any]) -> Album:
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']}, expected {VERSION}")
    accepted = tuple(_accepted_from_json(item) for item in data["accepted"])
    rejected = tuple(Rejection(**{k: v for k, v in item.items() if k != "file"}) for item in data["rejected"])
    reference = next((p for p, item in zip(accepted, data["accepted"], strict=True) if item["is_reference"]), None)
    coverage = Coverage(data["coverage"]["counts"], tuple(data["coverage"]["advice"]))
    return Album(folder, accepted, rejected, reference, coverage)


def _accepted_from_json(item: Mapping[str, Any]) -> AcceptedPhoto:
    fields = {k: v for k, v in item.items() if k not in ("file", "score", "is_reference")}
    crop = dict(fields.pop("crop"))
    recipe = CropRecipe(tuple(crop["centre"]), crop["side"], crop["rotation"], tuple(crop["needs"]))
    return AcceptedPhoto(**{**fields, "size": tuple(fields["size"])}, crop=recipe)


def _key(file: FoundFile) -> str:
    return f"{file.size}:{file.modified}:{file.path}"


def _record_path(folder: Path, digest: str) -> Path:
    if not digest.isalnum():
        raise ValueError("a digest is hexadecimal")
    return folder / f"{digest}.json"
