"""The nouns every floor shares: embedding, pose, quality, face, reference, portrait.

Points are (x, y) pixels, boxes are xyxy, angles are degrees, images are uint8 HWC RGB sRGB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError

Image = NDArray[np.uint8]
"""(h, w, 3) RGB sRGB."""
Mask = NDArray[np.float32]
"""(h, w) in [0, 1]."""
Points = NDArray[np.float32]
"""(n, 2) or (n, 3) pixels; z, where present, grows away from the camera in the same unit as x."""


@dataclass(frozen=True)
class Embedding:
    """A recogniser's descriptor of one face. `vector` is (d,) float32, kept raw (dlib's norm is about 1.5)."""

    vector: NDArray[np.float32]
    recogniser: str

    def distance(self, other: Embedding) -> float:
        """Euclidean distance; raises InputError when the two come from different recognisers."""
        if self.recogniser != other.recogniser:
            raise InputError(f"embeddings of '{self.recogniser}' and '{other.recogniser}' cannot be compared")
        return float(np.linalg.norm(self.vector - other.vector))


@dataclass(frozen=True)
class Pose:
    """Head pose in degrees, as seen in the picture.

    yaw > 0: the nose points to the right side of the picture. pitch > 0: the face looks up. roll > 0: the head is
    tilted clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float

    def angle_to(self, other: Pose) -> float:
        """A cheap angular difference in degrees, roll left out (a picture can be rotated freely)."""
        return float(np.hypot(self.yaw - other.yaw, self.pitch - other.pitch))


@dataclass(frozen=True)
class Quality:
    """What was measured on the face, each in [0, 1] with 1 best. `face_width` is in pixels of the photo."""

    sharpness: float
    size: float
    exposure: float
    visibility: float
    eyes_open: float
    face_width: float

    @property
    def overall(self) -> float:
        """Geometric mean of sharpness, size, exposure, visibility and eyes_open: one bad value spoils a photo."""
        parts = np.array([self.sharpness, self.size, self.exposure, self.visibility, self.eyes_open])
        return float(np.exp(np.log(np.clip(parts, 1e-3, 1.0)).mean()))


@dataclass(frozen=True)
class Expression:
    """Measured on the mesh, each in [0, 1]: `smile`, `mouth_open`, `eyes_open`."""

    smile: float
    mouth_open: float
    eyes_open: float

    def distance(self, other: Expression) -> float:
        """Euclidean distance over the three values."""
        ours, theirs = (self.smile, self.mouth_open, self.eyes_open), (other.smile, other.mouth_open, other.eyes_open)
        return float(np.linalg.norm(np.subtract(ours, theirs)))


@dataclass(frozen=True)
class Light:
    """Light on the skin: `level` is mean luminance (CIE L*, 0-100); `direction` (x, y) is the luminance slope over
    the surface normals (x > 0: lit from the picture's right, y > 0: from below); `contrast` is its strength in L*."""

    level: float
    direction: tuple[float, float]
    contrast: float


@dataclass(frozen=True)
class Face:
    """One detected face, in pixels of the photo it was read from.

    box_xyxy: (4,). landmarks: (468, 3). score and presence in [0, 1]. The measured parts are None when not asked for.
    """

    box_xyxy: NDArray[np.float32]
    landmarks: Points
    score: float
    presence: float
    pose: Pose
    embedding: Embedding | None = None
    quality: Quality | None = None
    expression: Expression | None = None
    light: Light | None = None

    @property
    def width(self) -> float:
        """Box width in pixels."""
        return float(self.box_xyxy[2] - self.box_xyxy[0])

    @property
    def centre(self) -> NDArray[np.float32]:
        """(2,) centre of the box."""
        return (self.box_xyxy[:2] + self.box_xyxy[2:]) / np.float32(2)

    def scaled(self, factor: float) -> Face:
        """The same face in a picture resized by `factor`."""
        return replace(self, box_xyxy=self.box_xyxy * np.float32(factor), landmarks=self.landmarks * np.float32(factor))

    def moved(self, dx: float, dy: float) -> Face:
        """The same face after its picture was shifted by (dx, dy) pixels."""
        shift = np.array([dx, dy, 0], np.float32)
        box = self.box_xyxy + shift[[0, 1, 0, 1]]
        return replace(self, box_xyxy=box, landmarks=self.landmarks + shift)


class Picture(Protocol):
    """Anything that can give upright RGB pixels: a `Photo` on disk, or pixels in memory."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    def pixels(self, max_side: int | None = None) -> Image: ...


@dataclass(frozen=True, eq=False)
class Pixels:
    """A picture already in memory. `digest` is the sha256 of its shape and bytes."""

    image: Image

    @property
    def digest(self) -> str:
        return hashlib.sha256(str(self.image.shape).encode() + np.ascontiguousarray(self.image).tobytes()).hexdigest()

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[0], self.image.shape[1]

    def pixels(self, max_side: int | None = None) -> Image:
        from portraitist.geometry import fit_within

        return self.image if max_side is None else fit_within(self.image, max_side)


@dataclass(frozen=True)
class Reference:
    """A picture and the sitter's face in it (pixels of the full-size picture), as an engine takes it."""

    picture: Picture
    face: Face


@dataclass(frozen=True, eq=False)
class Portrait:
    """An output image and how it was made.

    changed: (h, w) in [0, 1], the region that differs from the scene (None when everything is new).
    sources: digests of the photos whose pixels or weights went in; likeness is never taken against them.
    details: JSON-ready facts for the recipe (chosen photos, timings, warnings).
    """

    image: Image
    sources: tuple[str, ...]
    changed: Mask | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def derive(seed: int, index: int) -> int:
    """Seed of sample `index`: independent of batch size and of how many samples are asked for."""
    digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
