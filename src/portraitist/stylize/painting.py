"""What every painter of a frame gives, whether it is a network or code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from portraitist.types import Image, Mask


@dataclass(frozen=True, eq=False)
class Painting:
    """A painted frame (h, w, 3), and (h, w) where the painter wants to be shown, None for everywhere."""

    image: Image
    mask: Mask | None = None


class FramePainter(Protocol):
    """Paints upright frames in FFHQ framing (`faces.align`), or whole pictures.

    side: pixels it works at when nobody asks for others. part: of the FFHQ frame that it wants to see, over 1 is wider.
    sides it is given are multiples of 32.
    """

    @property
    def side(self) -> int: ...
    @property
    def part(self) -> float: ...
    def __call__(self, frame: Image) -> Painting: ...
