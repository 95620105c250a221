"""Readings of real pictures, kept beside the pack: reading the training split takes minutes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from portraitist.diffusion.captions import FaceFacts
from portraitist.faces.pose import estimate_pose
from portraitist.geometry import bounding_box
from portraitist.library import write_atomic
from portraitist.types import Face, Image
from recipes.mini.measures.reading import Reading


def read_or_load(path: Path, key: str, images: Sequence[Image], read: Callable[[Image], Reading]) -> list[Reading]:
    """Readings of the images: those stored at `path` under the same key, else read now and stored.

    key: says what the pictures are, such as the pack's digest and the side; another key or a torn file is read anew.
    A stored face has its mesh and pose and none of the other measures.
    """
    found = _load(path, key, images)
    if found is None:
        found = [read(image) for image in images]
        save_readings(path, key, found)
    return found


def save_readings(path: Path, key: str, readings: Sequence[Reading]) -> Path:
    """Everything but the pictures, as one npz."""
    faces = [r for r in readings if r.face is not None]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        key=np.array(key),
        found=np.array([r.face is not None for r in readings]),
        landmarks=np.array([r.face.landmarks for r in faces if r.face is not None], np.float32),
        certainty=np.array([(r.face.score, r.face.presence) for r in faces if r.face is not None], np.float64),
        descriptors=np.array([(r.descriptor, r.mirrored) for r in faces], np.float32),
        presence=np.array([r.presence for r in faces], np.float64),
        facts=np.array(json.dumps([None if r.facts is None else asdict(r.facts) for r in faces])),
    )
    return write_atomic(path, buffer.getvalue())


def _load(path: Path, key: str, images: Sequence[Image]) -> list[Reading] | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["key"]) != key or len(stored["found"]) != len(images):
                return None
            arrays = {name: stored[name] for name in stored.files}
        facts = [None if row is None else FaceFacts(**row) for row in json.loads(str(arrays["facts"]))]
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        # Stored by an older version or torn: reading again is all that is lost.
        return None
    places = np.cumsum(arrays["found"]) - 1
    return [
        _reading(image, arrays, facts, int(place)) if found else Reading(image)
        for image, found, place in zip(images, arrays["found"], places, strict=True)
    ]


def _reading(image: Image, arrays: dict[str, np.ndarray], facts: list[FaceFacts | None], place: int) -> Reading:
    mesh = arrays["landmarks"][place]
    score, presence = (float(value) for value in arrays["certainty"][place])
    face = Face(bounding_box(mesh), mesh, score, presence, estimate_pose(mesh))
    plain, mirrored = arrays["descriptors"][place]
    return Reading(image, face, facts[place], plain, mirrored, float(arrays["presence"][place]))
