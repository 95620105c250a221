"""What somebody marked on a photo, in pixels. Every format is read into these two values and written from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PureWindowsPath

import numpy as np

from portraitist.errors import InputError
from portraitist.marks.kinds import KINDS, POINT_KINDS, MarkKind
from portraitist.types import Points

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class AnnotatedMark:
    """One mark: `points` is (1, 2) for a point mark, (n, 2) with n >= 2 along a wrinkle; float32 pixels of the photo.

    diameter: pixels; of a wrinkle its width; None when nobody measured it. is_sure: False where whoever marked it
    doubted; training leaves such places out. Raises InputError for what no mark can be.
    """

    kind: MarkKind
    points: Points
    diameter: float | None = None
    is_sure: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind: expected {', '.join(KINDS)}, found {str(self.kind)[:60]!r}; correct it")
        object.__setattr__(self, "points", _points(self.points))
        count = len(self.points)
        if self.kind in POINT_KINDS and count != 1:
            raise InputError(
                f"{self.kind}: expected one point, found {count}; give each {self.kind} an entry of its own"
            )
        if self.kind == "wrinkle" and count < 2:
            raise InputError(f"wrinkle: expected two or more points along it, found {count}; draw it as a line")
        if self.diameter is not None and not 0 < self.diameter < np.inf:
            raise InputError(f"diameter: expected pixels above 0, found {self.diameter}; leave it out if unknown")


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """All marks of one photo. No marks means: somebody looked, and there are none.

    file: relative, with slashes. size: (w, h) in pixels as displayed, where known. sha256: of the file, where known.
    crowded: polygons (n, 2) in pixels around so many freckles that none of them was marked on its own.
    Raises InputError for a file name that leaves the folder, and for what is no size, digest or polygon.
    """

    file: str
    size: tuple[int, int] | None
    sha256: str | None
    marks: tuple[AnnotatedMark, ...]
    crowded: tuple[Points, ...] = ()

    def __post_init__(self) -> None:
        checked_file(self.file)
        if self.size is not None and min(self.size) < 1:
            raise InputError(f"size: expected a width and a height of 1 or more, found {self.size}; correct it")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise InputError(f"sha256: expected 64 hexadecimal digits, found {self.sha256[:70]!r}; leave it out")
        object.__setattr__(self, "crowded", tuple(_points(polygon) for polygon in self.crowded))
        for polygon in self.crowded:
            if len(polygon) < 3:
                raise InputError(f"crowded: expected three or more points around it, found {len(polygon)}")


def checked_file(name: object) -> str:
    """The name of a photo, relative to its folder. Raises InputError for one that no photo of the folder can have."""
    wanted = "expected a file name relative to the folder of photos, with / between folders"
    if not isinstance(name, str) or not name or _UNWRITABLE.search(name):
        raise InputError(f"{wanted}, found {str(name)[:100]!r}; correct it")
    if name.startswith("/") or PureWindowsPath(name).drive or {"", ".", ".."} & set(name.split("/")):
        raise InputError(f"{wanted}, found {name[:100]!r}, which leaves it; copy the photo there")
    return name


def check_inside(points: Points, size: tuple[int, int] | None) -> None:
    """Raises InputError when a point is outside a picture of (w, h) pixels; its edges are inside, no size has none."""
    if size is None:
        return
    for x, y in points:
        if not (0 <= x <= size[0] and 0 <= y <= size[1]):
            raise InputError(f"expected a point inside {size[0]} x {size[1]} pixels, found ({x}, {y}); move it inside")


def _points(values: Points) -> Points:
    points = np.asarray(values, np.float32)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InputError(f"points: expected finite (x, y) pairs, found an array of shape {points.shape}; correct it")
    return points
