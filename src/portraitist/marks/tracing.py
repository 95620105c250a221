"""From a map of how likely a line runs through each cell to the lines themselves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import skeletonize

from portraitist.types import Points

_AROUND = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Half of the eight neighbours; the other half are their opposites."""


def trace_lines(heat: NDArray[np.float32], low: float, high: float, least: int) -> list[Points]:
    """Lines of `least` cells or more, each (n, 2) in (x, y) cells with the middle of a cell at a half.

    heat: (rows, columns) in [0, 1]. A line reaches `high` somewhere and is followed while it stays above `low`. Where
    lines branch, the longest way through is one line and each branch that is left is another.
    """
    skeleton = skeletonize(apply_hysteresis_threshold(heat, low, max(low, high)))
    pieces, count = ndimage.label(skeleton, np.ones((3, 3)))
    lines = []
    for number, window in enumerate(ndimage.find_objects(pieces, count), start=1):
        corner = np.array([window[0].start, window[1].start])
        paths = _paths(pieces[window] == number, least)
        lines += [_placed(path + corner, heat) for path in paths]
    return lines


def _paths(skeleton: NDArray[np.bool_], least: int) -> list[NDArray[np.intp]]:
    """(n, 2) rows and columns along the longest way through a thin line, then along what is left, down to `least`."""
    paths, left = [], skeleton.copy()
    while left.sum() >= max(2, least):
        pieces, count = ndimage.label(left, np.ones((3, 3)))
        for number in range(1, count + 1):
            piece = pieces == number
            path = _longest(piece)
            if len(path) >= max(2, least):
                paths.append(path)
                left[tuple(path.T)] = False
            else:
                left &= ~piece
    return paths


def _longest(piece: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The way between the two cells that are farthest apart along the line: exact on a tree, near it with loops."""
    cells = np.argwhere(piece)
    graph = _graph(piece, cells)
    order, _ = breadth_first_order(graph, 0, directed=False)
    start = int(order[-1])
    order, before = breadth_first_order(graph, start, directed=False)
    way = [int(order[-1])]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    return cells[way]


def _graph(piece: NDArray[np.bool_], cells: NDArray[np.intp]) -> coo_matrix:
    """Which cells touch."""
    number = np.full(np.add(piece.shape, 2), -1)
    number[tuple((cells + 1).T)] = np.arange(len(cells))
    pairs = [np.stack([np.arange(len(cells)), number[tuple((cells + 1 + step).T)]]) for step in np.array(_AROUND)]
    edges = np.concatenate(pairs, axis=1)
    edges = edges[:, edges[1] >= 0]
    return coo_matrix((np.ones(edges.shape[1]), tuple(edges)), shape=(len(cells), len(cells)))


def _placed(path: NDArray[np.intp], heat: NDArray[np.float32]) -> Points:
    """The path moved onto the middle of the heat around it, smoothed, without points that change nothing."""
    padded = np.pad(heat, 1)
    steps = np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    around = np.stack([padded[tuple((path + 1 + step).T)] for step in steps], axis=1)
    middle = path + around @ steps / np.maximum(around.sum(1, keepdims=True), 1e-6) + 0.5
    smooth = ndimage.uniform_filter1d(middle, 3, axis=0, mode="nearest")
    smooth[[0, -1]] = middle[[0, -1]]
    line = np.asarray(smooth[:, ::-1], np.float32)
    kept: Points = cv2.approxPolyDP(line.reshape(-1, 1, 2), 0.15, False).reshape(-1, 2)
    return kept
