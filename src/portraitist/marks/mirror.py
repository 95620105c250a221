"""Mirrored selfies: photos whose marks sit on the other side of the face than in the person's other photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from portraitist.marks.mark import PointMark
from portraitist.marks.match import LIMIT_MM, PhotoMarks, assign, costs, mark_cost

LEAST_FIT = 2.0
"""How well the turned photo must fit one other photo: a mark that fits exactly counts 1, one LIMIT_MM off counts 0."""
FAR_BETTER = 2.0
"""How many times better than unturned it must fit all others."""
_Fits = NDArray[np.float64]


def straightened(photos: Sequence[PhotoMarks]) -> tuple[tuple[PhotoMarks, ...], tuple[str, ...]]:
    """The photos with mirrored ones turned over, and the digests of those.

    A photo is mirrored when its point marks, turned over, fit those of the other photos far better. Photos are turned
    one by one, the clearest first. Nothing tells which half of the photos is the mirrored one: it is taken to be the
    smaller, of equal halves the one without the first digest.
    """
    ordered = sorted(photos, key=lambda photo: photo.digest)
    direct, turned = _fits(ordered)
    flipped = _fewer(_flipped(direct, turned), (direct + turned).sum(1) > 0)
    names = {photo.digest for photo, over in zip(ordered, flipped, strict=True) if over}
    straight = tuple(photo.turned_over() if photo.digest in names else photo for photo in photos)
    return straight, tuple(sorted(names))


def _fits(photos: Sequence[PhotoMarks]) -> tuple[_Fits, _Fits]:
    """Two (n, n): how well the marks of two photos fit as they are, and with one of them turned over."""
    over = [photo.turned_over() for photo in photos]
    direct, turned = np.zeros((2, len(photos), len(photos)))
    for i in range(len(photos)):
        for j in range(i):
            direct[i, j] = direct[j, i] = _fit(photos[i].points, photos[j].points)
            turned[i, j] = turned[j, i] = _fit(photos[i].points, over[j].points)
    return direct, turned


def _fit(ours: Sequence[PointMark], theirs: Sequence[PointMark]) -> float:
    apart = costs(ours, theirs, mark_cost)
    return float(sum(1 - apart[pair] / LIMIT_MM for pair in assign(apart)))


def _flipped(direct: _Fits, turned: _Fits) -> NDArray[np.bool_]:
    """(n,) photos to turn over so that all fit better. Every turn raises the sum of fits, so this ends."""
    flipped = np.zeros(len(direct), bool)
    while True:
        differs = flipped[:, None] != flipped[None, :]
        now, then = np.where(differs, turned, direct), np.where(differs, direct, turned)
        gain = np.round(then.sum(1) - now.sum(1), 6)
        is_wrong = (then.sum(1) > FAR_BETTER * now.sum(1)) & (then.max(1, initial=0) >= LEAST_FIT)
        if not (is_wrong & (gain > 0)).any():
            return flipped
        flipped[int(np.argmax(np.where(is_wrong, gain, -np.inf)))] ^= True


def _fewer(flipped: NDArray[np.bool_], has_say: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The smaller of the two halves of the photos whose marks fit any other's."""
    others = has_say & ~flipped
    if flipped.sum() != others.sum():
        return min(flipped, others, key=lambda half: int(half.sum()))
    return others if flipped.any() and int(np.argmax(flipped)) < int(np.argmax(others)) else flipped
