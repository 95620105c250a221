"""What an album is made of: shots as they were read, photos as they were judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portraitist.types import Face, Reference


@dataclass(frozen=True)
class Rejection:
    """A file, photo or frame that is not in the album, and why.

    code: `unreadable`, `limit`, `loop`, `duplicate`, `near-duplicate`, `no-face`, `stranger`, `look-alike`, `small` or
    `poor`.
    measures: numbers behind the reason (`distance` to the sitter where one was taken). record, index: the shot's
    record, where the file could be read.
    """

    path: str
    code: str
    reason: str
    time: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    record: str = ""
    index: int = 0

    @property
    def file(self) -> str:
        """The file's name, with the second of the frame for a video."""
        return shot_name(self.path, self.time)


@dataclass(frozen=True)
class Shot:
    """One picture as it was read: a photo, or a frame of a video (`time` in seconds).

    digest: of the file for a photo, of the file and the time for a frame. record: the digest of the file.
    size: (h, w) upright full-size pixels. phash: 64 bits. faces: left to right, in full-size pixels; the copies kept
    in memory have no landmarks (they are read from the record when an engine asks).
    """

    path: Path
    digest: str
    size: tuple[int, int]
    orientation: int
    phash: int
    faces: tuple[Face, ...]
    record: str
    index: int = 0
    time: float | None = None


@dataclass(frozen=True)
class CropRecipe:
    """A square of the original: centre (x, y) and side in full-size pixels, turned by `rotation` degrees clockwise.

    needs: `upscale` and `restore`, only on the worst crops. The original is never changed.
    """

    centre: tuple[float, float]
    side: float
    rotation: float
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class AcceptedPhoto:
    """A photo of the sitter. `likeness`, `quality` and `frontality` are in [0, 1]; `score` is their product.

    face: index into the photo's faces. chosen: one of the album's best `top_k`. measures: taken on that face.
    """

    path: str
    digest: str
    size: tuple[int, int]
    face: int
    record: str
    index: int
    likeness: float
    quality: float
    frontality: float
    distance: float
    framing: str
    caption: str
    crop: CropRecipe
    chosen: bool
    measures: Mapping[str, float]
    others: int = 0
    time: float | None = None

    @property
    def score(self) -> float:
        """likeness x quality x frontality."""
        return self.likeness * self.quality * self.frontality

    @property
    def file(self) -> str:
        """The file's name, with the second of the frame for a video."""
        return shot_name(self.path, self.time)


@dataclass(frozen=True)
class Coverage:
    """How many accepted photos show each kind of pose, expression, light and framing, and what to add."""

    counts: Mapping[str, Mapping[str, int]]
    advice: tuple[str, ...]


@dataclass(frozen=True)
class Album:
    """The accepted photos of a sitter, best first, the rejected ones with reasons, and the reference photo."""

    folder: Path
    accepted: tuple[AcceptedPhoto, ...]
    rejected: tuple[Rejection, ...]
    reference: AcceptedPhoto | None
    coverage: Coverage

    @property
    def chosen(self) -> tuple[AcceptedPhoto, ...]:
        """The best `top_k`, best first."""
        return tuple(photo for photo in self.accepted if photo.chosen)

    def references(self, photos: tuple[AcceptedPhoto, ...] | None = None) -> list[Reference]:
        """Pictures and faces as an engine takes them: the chosen photos, or those given.

        Raises InputError when an original was moved or changed since it was added.
        """
        from portraitist.album.store import load_references

        return load_references(self.folder, self.chosen if photos is None else photos)


def shot_name(path: str, time: float | None) -> str:
    """`photo.jpg`, or `clip.mp4@3.20s` for a frame."""
    name = Path(path).name
    return name if time is None else f"{name}@{time:.2f}s"
