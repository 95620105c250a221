"""A domain: pictures of one kind (photos, or drawings of one design) in one framing, prepared once in one npz file.

The three stages of making a painter learn from two of them, the photo domain and the style domain.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.library import write_atomic

FEW = 30
"""Below so many pictures a domain is few-shot: what learns from it should change little."""


@dataclass(frozen=True)
class DomainNote:
    """Where the pictures are from and what may be done with what learns from them.

    noncommercial: what saw these pictures is marked `nc`.
    """

    title: str
    licence: str
    attribution: str = ""
    noncommercial: bool = False


@dataclass(frozen=True)
class Domain:
    """n framed pictures. images: (n, side, side, 3) uint8 RGB. names: of the files. digest: of pixels and names.

    >>> Domain("tiny", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), DomainNote("none", "CC0")).side
    8
    """

    name: str
    images: NDArray[np.uint8]
    names: tuple[str, ...]
    note: DomainNote

    def __len__(self) -> int:
        return len(self.images)

    @property
    def side(self) -> int:
        """Pixels along the frame's side."""
        return int(self.images.shape[1])

    @property
    def is_few_shot(self) -> bool:
        """Whether there are too few pictures to learn a style from nothing."""
        return len(self) < FEW

    @property
    def digest(self) -> str:
        """Hex sha256 of pixels and names: a run resumes only with the domain it began with."""
        return hashlib.sha256(self.images.tobytes() + "\n".join(self.names).encode()).hexdigest()

    def draw(
        self, count: int, rng: np.random.Generator, chances: NDArray[np.float64] | None = None
    ) -> NDArray[np.uint8]:
        """(count, side, side, 3): pictures drawn with replacement, every other one mirrored by chance. chances: of each
        picture, summing to 1; without them all are alike."""
        chosen = self.images[rng.choice(len(self), size=count, p=chances)]
        mirrored = rng.random(count) < 0.5
        return np.where(mirrored[:, None, None, None], chosen[:, :, ::-1], chosen)

    def among(self, places: Iterable[int], most: int) -> Domain:
        """The pictures at these places, at most so many of them."""
        chosen = list(places)[:most]
        return Domain(self.name, self.images[chosen], tuple(self.names[place] for place in chosen), self.note)

    def at(self, side: int) -> Domain:
        """The same pictures at another side; InputError when that would enlarge them."""
        if side == self.side:
            return self
        if side > self.side:
            raise InputError(
                f"domain {self.name}: prepared at {self.side} px, asked for {side}; prepare it at that side"
            )
        small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in self.images]
        return Domain(self.name, np.stack(small).astype(np.uint8), self.names, self.note)


def save_domain(path: Path, domain: Domain) -> Path:
    """Write the npz in one move."""
    facts = {"name": domain.name, "names": domain.names, "note": asdict(domain.note)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=domain.images, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8))
    return write_atomic(path, buffer.getvalue())


def load_domain(path: Path) -> Domain:
    """Read what `save_domain` wrote. Raises InputError when it is missing or something else."""
    if not path.is_file():
        raise InputError(f"{path}: expected a prepared domain, found nothing there; run the stage prepare first")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, facts = arrays["images"], json.loads(arrays["facts"].tobytes())
        note = DomainNote(**facts["note"])
        return Domain(facts["name"], images, tuple(facts["names"]), note)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: expected a prepared domain, found something else ({error}); prepare it anew"
        ) from error
