"""The marks of a face: point marks (mole, spot, pimple, scar) and wrinkles, each fixed to the mesh.

Lengths are millimetres with the eyes 63 mm apart (`anchor.PUPILS_MM`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.marks.anchor import Anchor, canonical
from portraitist.marks.kinds import KINDS, POINT_KINDS, MarkKind

Action = Literal["keep", "soften", "remove"]
ACTIONS: tuple[Action, ...] = ("keep", "soften", "remove")


@dataclass(frozen=True, eq=False)
class PointMark:
    """A mark that is one spot of skin.

    mark_id: short, the same as long as the mark is in the sitter's map. diameter_mm: above 0.
    colour_offset: CIE L*, a*, b* of the mark less those of the skin around it (L* below 0 is darker).
    contrast: Euclidean length of that offset over the noise of the skin, or 0 when it was not measured.
    patch: (n, n, 4) uint8 RGBA of the photo it was seen best in, or None: the pixels as seen, in the frame of
    `surface.patch_matrix`, flat and upright; alpha is how much of a pixel is mark, 0 along the patch's edge.
    skin: CIE L*, a*, b* of the skin around it in the photo of the patch, or None when it was not measured.
    blur_mm: deviation of the blur of that photo, on the skin.
    confidence: in [0, 1], that it belongs to the person. seen_in: sha256 of the photos it was found in.
    action: what a portrait does with it.
    """

    mark_id: str
    kind: MarkKind
    anchor: Anchor
    diameter_mm: float
    colour_offset: tuple[float, float, float]
    contrast: float = 0.0
    confidence: float = 1.0
    patch: NDArray[np.uint8] | None = None
    seen_in: tuple[str, ...] = ()
    action: Action = "keep"
    skin: tuple[float, float, float] | None = None
    blur_mm: float = 0.0

    def __post_init__(self) -> None:
        _check(self.mark_id, self.kind, POINT_KINDS, self.confidence, self.action)
        if not 0 < self.diameter_mm < float("inf"):
            raise InputError(f"mark {self.mark_id}: expected a diameter above 0 mm, found {self.diameter_mm}")
        if self.patch is not None and (self.patch.dtype != np.uint8 or self.patch.shape[2:] != (4,)):
            raise InputError(f"mark {self.mark_id}: expected an RGBA patch of bytes, found {self.patch.shape}")

    @property
    def is_flagged(self) -> bool:
        """Seen in one photo only: it may be dirt, or a pimple that went."""
        return len(self.seen_in) < 2

    @property
    def position(self) -> NDArray[np.float64]:
        """(3,) millimetres on the canonical face."""
        return canonical(self.anchor)


@dataclass(frozen=True, eq=False)
class Wrinkle:
    """A crease along a line of two or more anchors.

    width_mm: at each anchor, full width, mm. depth: at each anchor, how much darker its middle is than the skin
    beside it, in L* (0 and up). skin: L*, a*, b* beside it, where that was measured. The other fields as in
    `PointMark`.
    """

    mark_id: str
    anchors: tuple[Anchor, ...]
    width_mm: tuple[float, ...]
    depth: tuple[float, ...]
    confidence: float = 1.0
    seen_in: tuple[str, ...] = ()
    action: Action = "keep"
    skin: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        _check(self.mark_id, self.kind, KINDS, self.confidence, self.action)
        found = len(self.anchors), len(self.width_mm), len(self.depth)
        if found[0] < 2 or len(set(found)) > 1:
            raise InputError(
                f"wrinkle {self.mark_id}: expected two or more anchors with a width and a depth each, found {found}"
            )

    @property
    def kind(self) -> MarkKind:
        """Always `wrinkle`."""
        return "wrinkle"

    @property
    def is_flagged(self) -> bool:
        """Seen in one photo only."""
        return len(self.seen_in) < 2

    @property
    def line(self) -> NDArray[np.float64]:
        """(n, 3) millimetres on the canonical face."""
        return np.array([canonical(anchor) for anchor in self.anchors])


Mark = PointMark | Wrinkle


def id_of(kind: MarkKind, anchors: tuple[Anchor, ...]) -> str:
    """A new mark's id: its kind and six hex digits of its place."""
    places = ";".join(f"{a.triangle}:{a.weights[0]:.2f}:{a.weights[1]:.2f}" for a in anchors)
    return f"{kind}-{hashlib.sha256(places.encode()).hexdigest()[:6]}"


def _check(mark_id: str, kind: str, kinds: tuple[MarkKind, ...], confidence: float, action: str) -> None:
    if kind not in kinds:
        raise InputError(f"mark {mark_id}: expected one of {', '.join(kinds)}, found '{kind}'")
    if not 0 <= confidence <= 1:
        raise InputError(f"mark {mark_id}: expected a confidence in [0, 1], found {confidence}")
    if action not in ACTIONS:
        raise InputError(f"mark {mark_id}: expected one of {', '.join(ACTIONS)}, found '{action}'")
