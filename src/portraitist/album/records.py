"""Shots as JSON: one record a file, complete enough that no photo is read twice."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portraitist.album.values import Shot
from portraitist.types import Embedding, Expression, Face, Light, Pose, Quality

VERSION = 1


def face_to_json(face: Face) -> dict[str, Any]:
    """Everything but the pixels. Arrays are base64 of little-endian float32."""
    return {
        "box_xyxy": [round(float(v), 2) for v in face.box_xyxy],
        "landmarks": _pack(face.landmarks),
        "score": round(face.score, 4),
        "presence": round(face.presence, 4),
        "pose": asdict(face.pose),
        "embedding": _pack(face.embedding.vector) if face.embedding else None,
        "recogniser": face.embedding.recogniser if face.embedding else None,
        "quality": asdict(face.quality) if face.quality else None,
        "expression": asdict(face.expression) if face.expression else None,
        "light": asdict(face.light) if face.light else None,
    }


def face_from_json(record: Mapping[str, Any], *, landmarks: bool = True) -> Face:
    """The face of a record; without `landmarks` it takes a tenth of the memory. Raises KeyError or ValueError."""
    points = _unpack(record["landmarks"]).reshape(-1, 3) if landmarks else np.empty((0, 3), np.float32)
    vector = record["embedding"]
    light = record["light"]
    return Face(
        np.asarray(record["box_xyxy"], np.float32),
        points,
        float(record["score"]),
        float(record["presence"]),
        Pose(**record["pose"]),
        Embedding(_unpack(vector), record["recogniser"]) if vector else None,
        Quality(**record["quality"]) if record["quality"] else None,
        Expression(**record["expression"]) if record["expression"] else None,
        Light(light["level"], (light["direction"][0], light["direction"][1]), light["contrast"]) if light else None,
    )


def shot_to_json(shot: Shot, thumbnail: bytes) -> dict[str, Any]:
    """`thumbnail` is a small JPEG for the report."""
    return {
        "time": shot.time,
        "size": list(shot.size),
        "orientation": shot.orientation,
        "phash": f"{shot.phash:016x}",
        "thumbnail": base64.b64encode(thumbnail).decode(),
        "faces": [face_to_json(face) for face in shot.faces],
    }


def shots_from_json(record: Mapping[str, Any], path: Path, *, landmarks: bool = False) -> list[Shot]:
    """The shots of a record, for the file at `path`. Raises KeyError, TypeError or ValueError on a broken record."""
    return [_shot(record["digest"], index, shot, path, landmarks) for index, shot in enumerate(record["shots"])]


def _shot(digest: str, index: int, shot: Mapping[str, Any], path: Path, landmarks: bool) -> Shot:
    faces = tuple(face_from_json(face, landmarks=landmarks) for face in shot["faces"])
    size = (int(shot["size"][0]), int(shot["size"][1]))
    phash = int(shot["phash"], 16)
    own = shot_digest(digest, shot["time"])
    return Shot(path, own, size, int(shot["orientation"]), phash, faces, digest, index, shot["time"])


def shot_digest(digest: str, time: float | None) -> str:
    """What identifies a shot: the file's digest for a photo, one of its own for each frame of a video."""
    return digest if time is None else hashlib.sha256(f"{digest}@{time!r}".encode()).hexdigest()


def file_record(
    digest: str, reading: Mapping[str, Any], shots: Sequence[dict[str, Any]], error: str | None
) -> dict[str, Any]:
    """One file as it was read. `reading` holds the options that decided what is in it."""
    return {"version": VERSION, "digest": digest, "reading": dict(reading), "error": error, "shots": list(shots)}


def enlarged(face: Face, factor: float) -> Face:
    """A face read on a copy `1 / factor` as large, in pixels of the full-size photo, its measured width too."""
    scaled = face.scaled(factor)
    if face.quality is None:
        return scaled
    return replace(scaled, quality=replace(face.quality, face_width=face.quality.face_width * factor))


def _pack(values: NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def _unpack(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
