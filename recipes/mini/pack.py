"""The data pack: small JPEG pictures, where the mesh lies on them and what is known of each, in one npz file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import FaceFacts
from portraitist.errors import InputError
from portraitist.library import write_atomic

JPEG_QUALITY = 90


@dataclass(frozen=True)
class Pack:
    """n pictures. images: (n, side, side, 3) uint8 RGB. landmarks: (n, 468, 2) as parts of the side. weights: (n,),
    a person's pictures sum to 1. names: of the files. people: (n,) of whom each is. digest: of the file."""

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    facts: tuple[FaceFacts, ...]
    weights: NDArray[np.float64]
    names: tuple[str, ...]
    people: tuple[str, ...]
    digest: str = ""

    def __len__(self) -> int:
        return len(self.images)


def person_weights(people: tuple[str, ...]) -> NDArray[np.float64]:
    """(n,) one over the number of pictures of the same person."""
    _, index, counts = np.unique(np.array(people), return_inverse=True, return_counts=True)
    return 1.0 / counts[index]


def save_pack(path: Path, pack: Pack) -> Path:
    """Write in one move. The landmarks are rounded to a part in 2048 of the side."""
    coded = [cv2.imencode(".jpg", image[..., ::-1], _JPEG_FLAGS)[1].ravel() for image in pack.images]
    rows = [{"name": n, "person": p, **asdict(f)} for n, p, f in zip(pack.names, pack.people, pack.facts, strict=True)]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        jpeg=np.concatenate(coded),
        ends=np.cumsum([len(c) for c in coded]),
        landmarks=np.round(pack.landmarks * 2048).astype(np.int16),
        rows=np.frombuffer(json.dumps(rows).encode(), np.uint8),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_atomic(path, buffer.getvalue())


_JPEG_FLAGS = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]


def load_pack(path: Path) -> Pack:
    """Read a pack; raises InputError when it is missing or no pack."""
    if not path.is_file():
        raise InputError(f"{path}: no data pack; make one with 'python -m recipes.mini prepare'")
    data = path.read_bytes()
    try:
        arrays = np.load(io.BytesIO(data), allow_pickle=False)
        rows = json.loads(arrays["rows"].tobytes())
        coded = np.split(arrays["jpeg"], arrays["ends"][:-1])
        landmarks = arrays["landmarks"].astype(np.float32) / 2048
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        hint = "make one with 'python -m recipes.mini prepare'"
        raise InputError(f"{path}: not a data pack ({error}); {hint}") from error
    images = np.stack([cv2.imdecode(c, cv2.IMREAD_COLOR)[..., ::-1] for c in coded])
    names = tuple(row.pop("name") for row in rows)
    people = tuple(row.pop("person") for row in rows)
    facts = tuple(FaceFacts(**row) for row in rows)
    digest = hashlib.sha256(data).hexdigest()
    return Pack(images, landmarks, facts, person_weights(people), names, people, digest)
