"""Pairs for tests: random smooth pictures, painted by a rule that a small student can learn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from portraitist.stylize.pairs import Pair, PairFolder, PairNote, write_note, write_pair
from portraitist.types import Image

NOTE = PairNote("drawn for a test", "a rule", "CC0-1.0", is_exact=True)


def photo(seed: int, side: int = 96) -> Image:
    """Blobs of colour."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def painted(picture: Image) -> Image:
    """Channels swapped, half as bright."""
    return np.asarray(picture[..., ::-1] // 2, np.uint8)


def drawn_pairs(folder: Path, count: int = 4, *, side: int = 96, masks: bool = False) -> PairFolder:
    """Written and opened again."""
    for number in range(count):
        picture = photo(number, side)
        mask = np.zeros((side, side), np.float32)
        mask[:, : side // 2] = 1
        write_pair(folder, Pair(f"pair-{number}", picture, painted(picture), mask if masks else None))
    write_note(folder, NOTE)
    return PairFolder.open(folder)
