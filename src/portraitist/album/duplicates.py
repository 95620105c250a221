"""Near-duplicates: the same shot saved twice, or bursts of a camera. The best of each group is kept."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image


def perceptual_hash(image: Image) -> int:
    """64 bits that change little under resizing, compression and light.

    The signs of the 8 x 8 lowest frequencies of a 32 x 32 grey picture against their median. Source: Zauner,
    "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1 (DCT hash).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    # The mean of the picture (the first coefficient) says nothing about its shape: it is left out of the median.
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def hash_distance(a: int, b: int) -> int:
    """Differing bits, 0 to 64."""
    return (a ^ b).bit_count()


def keep_best(
    hashes: Sequence[int], scores: Sequence[float], max_bits: int, views: NDArray[np.float32] | None = None
) -> list[int]:
    """For each item, the index of the item that stands for it (itself when it is kept).

    Greedy from the best score down, so an item is only ever dropped for a better one that is itself kept: groups do
    not chain. views: (n, d) measures of the faces in units of "visibly different"; items further apart than 1 are
    never duplicates, however alike their backgrounds.
    """
    order = sorted(range(len(hashes)), key=lambda i: (-scores[i], i))
    kept: list[int] = []
    kept_hashes = np.empty(len(hashes), np.uint64)
    stands_for = list(range(len(hashes)))
    for i in order:
        bits = np.bitwise_count(kept_hashes[: len(kept)] ^ np.uint64(hashes[i]))
        alike = np.flatnonzero(bits <= max_bits)
        if views is not None and len(alike):
            alike = alike[np.linalg.norm(views[[kept[j] for j in alike]] - views[i], axis=1) <= 1]
        if len(alike):
            stands_for[i] = kept[int(alike[np.argmin(bits[alike])])]
        else:
            kept_hashes[len(kept)] = hashes[i]
            kept.append(i)
    return stands_for
