"""The colours of the person where hair and backdrop mix, so that nothing of the old background comes along.

I = a F + (1 - a) B has one equation for two unknown colours; both are asked to be smooth, most of all across the
steps of the matte. Source: Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.types import Image, Mask

REGULARISATION = 1e-5
"""Neighbour weight where the matte is flat; `|alpha step|` is added to it (Germer 2020, eq. 4)."""
_SOLVED_SIDE = 512
"""Beyond this size colours are interpolated and only their residual is taken from the full-size picture."""

Colours = NDArray[np.float32]


def estimate_foreground(image: Image, matte: Mask) -> Image:
    """Foreground colours (h, w, 3): the photo's own where the matte is 1, free of the old background elsewhere."""
    colours = np.asarray(image / np.float32(255), np.float32)
    front, back = _coarse_to_fine(colours, matte)
    front, _ = _explain(colours, matte[..., None], front, back, REGULARISATION)
    result = np.round(np.clip(front, 0, 1) * 255).astype(np.uint8)
    return np.where((matte < 1)[..., None], result, image)


def _coarse_to_fine(colours: Colours, matte: Mask) -> tuple[Colours, Colours]:
    h, w = matte.shape
    scale = min(1.0, _SOLVED_SIDE / max(h, w))
    levels = max(1, int(np.ceil(np.log2(max(h, w) * scale))))
    front = back = np.full((1, 1, 3), colours.mean(axis=(0, 1)), np.float32)
    for level in range(levels + 1):
        size = max(1, round((w * scale) ** (level / levels))), max(1, round((h * scale) ** (level / levels)))
        small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
        alpha = cv2.resize(matte, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0])
        front, back = _enlarge(front, size), _enlarge(back, size)
        front, back = _sweep(small, alpha, front, back, 10 if max(size) <= 32 else 3)
    return _enlarge(front, (w, h)), _enlarge(back, (w, h))


def _enlarge(colours: Colours, size: tuple[int, int]) -> Colours:
    return np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_LINEAR), np.float32).reshape(
        size[1], size[0], 3
    )


def _sweep(colours: Colours, alpha: Mask, front: Colours, back: Colours, times: int) -> tuple[Colours, Colours]:
    """Jacobi sweeps: each pixel takes its neighbours' weighted mean colours, then explains its own colour with them."""
    across = _edge_weight(alpha, 1)
    down = _edge_weight(alpha, 0)
    total = _gather(np.ones_like(alpha)[..., None], across, down)
    for _ in range(times):
        mean = _gather(np.concatenate([front, back], axis=2), across, down)
        mean /= np.maximum(total, 1e-12)
        front, back = _explain(colours, alpha[..., None], mean[..., :3], mean[..., 3:], total)
    return front, back


def _edge_weight(alpha: Mask, axis: int) -> Colours:
    return np.asarray((np.abs(np.diff(alpha, axis=axis)) + REGULARISATION)[..., None], np.float32)


def _gather(values: Colours, across: Colours, down: Colours) -> Colours:
    """Weighted sum over the four neighbours; weights sit on the edges between pixels."""
    total = np.zeros_like(values)
    total[:, :-1] += across * values[:, 1:]
    total[:, 1:] += across * values[:, :-1]
    total[:-1] += down * values[1:]
    total[1:] += down * values[:-1]
    return total


def _explain(
    colours: Colours, alpha: Colours, front: Colours, back: Colours, weight: Colours | float
) -> tuple[Colours, Colours]:
    """The 2 x 2 least squares of eq. 8 in closed form: share what the two mean colours leave unexplained."""
    left = colours - alpha * front - (1 - alpha) * back
    share = left / (alpha**2 + (1 - alpha) ** 2 + weight)
    return np.clip(front + alpha * share, 0, 1), np.clip(back + (1 - alpha) * share, 0, 1)
