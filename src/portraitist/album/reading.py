"""One pass over one file: decode small, find the faces, measure, embed; the result is a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from portraitist.album.config import AlbumConfig
from portraitist.album.duplicates import perceptual_hash
from portraitist.album.records import enlarged, file_record, shot_to_json
from portraitist.album.scan import is_video
from portraitist.album.values import Shot
from portraitist.album.video import spread_frames
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.geometry import fit_within
from portraitist.image import Photo, PhotoLimits, encode_image, open_photo
from portraitist.types import Face, Image

_THUMBNAIL = 220
_CLEAR_FACE = 90.0
"""A face narrower than this on the small copy is read again on a larger one: the recogniser wants 150 px."""
_SMALLEST_EMBEDDED = 20.0
"""Narrower faces on the copy that was read are only counted: their descriptors say nothing."""
_MOST_EMBEDDED = 12
"""Faces of one photo that are compared with the sitter, the widest first."""


def reading_options(config: AlbumConfig) -> dict[str, Any]:
    """What decides a record's content: a record made under other options is read again."""
    return {"read_side": config.read_side, "max_frames": config.max_frames, "max_samples": config.max_samples}


def read_file(path: Path, digest: str, reader: FaceReader, config: AlbumConfig) -> dict[str, Any]:
    """The record of a photo or video. A file that cannot be decoded gives a record with the reason, never an error."""
    try:
        shots = (
            _read_video(path, digest, reader, config) if is_video(path) else [_read_photo(path, digest, reader, config)]
        )
    except InputError as error:
        return file_record(digest, reading_options(config), (), str(error))
    return file_record(digest, reading_options(config), shots, None)


def photo_limits(config: AlbumConfig) -> PhotoLimits:
    """The album's limits as `open_photo` takes them."""
    return PhotoLimits(pixels=config.max_pixels, bytes=config.max_bytes)


def _read_photo(path: Path, digest: str, reader: FaceReader, config: AlbumConfig) -> dict[str, Any]:
    photo = open_photo(path, photo_limits(config), digest=digest)
    image = photo.pixels(config.read_side)
    faces = reader.read(image, embed=False)
    if max(photo.size) > 1.5 * max(image.shape) and max((f.width for f in faces), default=0.0) < _CLEAR_FACE:
        image, faces = _look_closer(photo, image, faces, reader, config)
    embedded = embed_faces(image, faces, reader)
    factor = max(photo.size) / max(image.shape[:2])
    measured = tuple(enlarged(face, factor) for face in embedded)
    shot = Shot(path, photo.digest, photo.size, photo.orientation, perceptual_hash(image), measured, photo.digest)
    return shot_to_json(shot, thumbnail(image))


def _look_closer(
    photo: Photo, image: Image, faces: list[Face], reader: FaceReader, config: AlbumConfig
) -> tuple[Image, list[Face]]:
    larger = photo.pixels(2 * config.read_side)
    found = reader.read(larger, embed=False)
    return (larger, found) if found else (image, faces)


def embed_faces(image: Image, faces: Sequence[Face], reader: FaceReader) -> list[Face]:
    """The same faces, those large enough with an embedding, in one batch."""
    by_width = sorted(range(len(faces)), key=lambda i: -faces[i].width)[:_MOST_EMBEDDED]
    wanted = [i for i in by_width if faces[i].width >= _SMALLEST_EMBEDDED]
    vectors = reader.embedder.embed(image, [faces[i] for i in wanted])
    known = dict(zip(wanted, vectors, strict=True))
    return [replace(face, embedding=known.get(i)) for i, face in enumerate(faces)]


def _read_video(path: Path, digest: str, reader: FaceReader, config: AlbumConfig) -> list[dict[str, Any]]:
    records = []
    for frame in spread_frames(path, reader, config):
        faces = embed_faces(frame.image, frame.faces, reader)
        factor = max(frame.size) / max(frame.image.shape[:2])
        measured = tuple(enlarged(face, factor) for face in faces)
        shot = Shot(path, digest, frame.size, 1, perceptual_hash(frame.image), measured, digest, time=frame.time)
        records.append(shot_to_json(shot, thumbnail(frame.image)))
    return records


def thumbnail(image: Image) -> bytes:
    """A small JPEG for reports."""
    return encode_image(fit_within(image, _THUMBNAIL), "jpeg", quality=80)
