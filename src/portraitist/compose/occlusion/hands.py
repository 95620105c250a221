"""Hands held before the face: MediaPipe's palm detector and 21-point hand network."""

from __future__ import annotations

from typing import Protocol

from portraitist.types import Image, Points


class HandFinder(Protocol):
    """Anything that finds hands."""

    def find(self, image: Image) -> list[Points]:
        """(21, 3) points for each hand, in pixels of the image."""
        ...
