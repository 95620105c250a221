"""Closed-form matting: the opacity that makes every small window a line in colour space.

Source: Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", PAMI 2008.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from portraitist.types import Image, Mask

Trimap = Mask
"""(h, w) float32: 1 surely person, 0 surely background, between: unknown, the value
being what is believed (0.5: nothing)."""

EPSILON = 1e-5
"""Regulariser of the colour covariance, colours in [0, 1]. A smaller one follows thinner hair and more noise."""
_WINDOW = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


BELIEF_WEIGHT = 5e-3
"""Pull towards the trimap's value in the unknown band: weak enough for hair, enough for islands that no line of
colours ties to a known pixel. Chosen on composites of the tune side (benchmarks/matte.py)."""


def solve_closed_form(
    image: Image, trimap: Trimap, *, epsilon: float = EPSILON, belief_weight: float = BELIEF_WEIGHT
) -> Mask:
    """Opacity (h, w) at the size given: known pixels keep their trimap value, the unknown band is solved exactly.

    Minimises a' L a + w (2 b - 1)^2 (a - b)^2 with the belief b of the trimap, subject to the known pixels (eq. 7),
    by one sparse factorisation over the unknown pixels only: a band along an outline has small separators, so a
    direct solve beats conjugate gradients here.
    """
    unknown = (trimap > 0) & (trimap < 1)
    alpha = trimap.astype(np.float64).ravel()
    if unknown.any():
        laplacian, pixels, count = _band_laplacian(image, unknown, epsilon)
        belief = alpha[pixels[:count]]
        pull = belief_weight * (2 * belief - 1) ** 2
        right = pull * belief - laplacian[:, count:] @ alpha[pixels[count:]]
        system = (laplacian[:, :count] + sparse.diags(pull + 1e-9)).tocsc()
        factors = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        alpha[pixels[:count]] = factors.solve(right)
    return np.clip(alpha, 0, 1).astype(np.float32).reshape(trimap.shape)


def _band_laplacian(
    image: Image, unknown: NDArray[np.bool_], epsilon: float
) -> tuple[sparse.csr_array, NDArray[np.int64], int]:
    """Rows of the matting Laplacian (eq. 12) for the `count` unknown pixels; columns follow `pixels`, unknown first."""
    width = unknown.shape[1]
    centres = _window_centres(unknown)
    affinity = _window_affinity(image, centres, epsilon)
    members = centres[:, None] + np.array([dy * width + dx for dy, dx in _WINDOW])
    touched = np.zeros(unknown.size, bool)
    touched[members] = True
    free = unknown.ravel() & touched
    pixels = np.concatenate([np.flatnonzero(free), np.flatnonzero(touched & ~free)])
    count = int(free.sum())
    number = np.full(unknown.size, -1, np.int64)
    number[pixels] = np.arange(len(pixels))
    return _add_windows(affinity, number[members], count, len(pixels)), pixels, count


def _add_windows(affinity: NDArray[np.float64], members: NDArray[np.int64], count: int, total: int) -> sparse.csr_array:
    """Sum the 9 x 9 window matrices into (count, total).

    Pairs are summed by their offset in the picture first: a pixel is the same corner of one window only, so plain
    indexed addition is safe, and 25 diagonals are left instead of 81 entries a window.
    """
    sums: dict[tuple[int, int], NDArray[np.float64]] = {}
    columns: dict[tuple[int, int], NDArray[np.int64]] = {}
    for i, (yi, xi) in enumerate(_WINDOW):
        rows = members[:, i]
        wanted = rows < count
        for j, (yj, xj) in enumerate(_WINDOW):
            offset = yj - yi, xj - xi
            if offset not in sums:
                sums[offset], columns[offset] = np.zeros(count), np.full(count, -1, np.int64)
            sums[offset][rows[wanted]] += affinity[wanted, i, j]
            columns[offset][rows[wanted]] = members[wanted, j]
    values, where = np.stack(list(sums.values()), axis=1), np.stack(list(columns.values()), axis=1)
    used = where >= 0
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return sparse.csr_array((values[used], where[used], ends), shape=(count, total))


def _window_centres(unknown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat indices of the 3 x 3 windows inside the picture that hold an unknown pixel."""
    near = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))
    near[[0, -1]] = 0
    near[:, [0, -1]] = 0
    return np.flatnonzero(near)


def _window_affinity(image: Image, centres: NDArray[np.int64], epsilon: float) -> NDArray[np.float64]:
    """(n, 9, 9): delta_ij - (1 + (I_i - mu)' (Sigma + eps/9)^-1 (I_j - mu)) / 9 for each window."""
    width = image.shape[1]
    offsets = np.array([dy * width + dx for dy, dx in _WINDOW])
    colours = image.reshape(-1, 3)[centres[:, None] + offsets].astype(np.float64) / 255
    colours -= colours.mean(axis=1, keepdims=True)
    covariance = np.matmul(colours.transpose(0, 2, 1), colours) / 9 + epsilon / 9 * np.eye(3)
    alike = np.matmul(np.matmul(colours, np.linalg.inv(covariance)), colours.transpose(0, 2, 1))
    return np.asarray(np.eye(9) - (1 + alike) / 9, np.float64)
