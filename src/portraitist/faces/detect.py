"""Face boxes and six key points from BlazeFace, on one square view of a picture.

Two networks share the decoding: `short` (128 px, faces over about a fifth of the view) and `full` (192 px, smaller
faces). `faces/search.py` decides which views of a photo are looked at.

Source: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019 (arXiv:1907.05047).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.pyramid import Pyramid, pyramid_of
from portraitist.geometry import Matrix, apply, box_overlap, invert
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.types import Image
from portraitist.weights import fetch


@dataclass(frozen=True)
class Detection:
    """One box in pixels of the picture.

    box_xyxy: (4,). points: (6, 2) eye (picture left), eye (picture right), nose tip, mouth, ear (left), ear (right).
    score in [0, 1].
    """

    box_xyxy: NDArray[np.float32]
    points: NDArray[np.float32]
    score: float

    @property
    def side(self) -> float:
        """Mean of width and height in pixels."""
        return float((self.box_xyxy[2:] - self.box_xyxy[:2]).mean())


@dataclass(frozen=True)
class _Layout:
    """Input side of a network and its anchor grids as (cells, anchors in a cell)."""

    weights: str
    side: int
    grids: tuple[tuple[int, int], ...]


LAYOUTS = {
    "short": _Layout("blazeface-short", 128, ((16, 2), (8, 6))),
    "full": _Layout("blazeface-full", 192, ((48, 1),)),
}


def anchor_centres(grids: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """(n, 2) centres of the anchors in [0, 1], cell by cell, row by row."""
    parts = []
    for cells, repeats in grids:
        ticks = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(ticks, ticks)
        parts.append(np.repeat(np.column_stack([x.ravel(), y.ravel()]), repeats, axis=0))
    return np.concatenate(parts).astype(np.float32)


class BlazeFace:
    """One BlazeFace network. Not to be shared between processes."""

    def __init__(self, name: str, placement: Placement = Placement()) -> None:
        self._layout = LAYOUTS[name]
        self._network = LiteNetwork(fetch(self._layout.weights), placement.threads)
        self._anchors = anchor_centres(self._layout.grids)

    def look(self, picture: Image | Pyramid, view: Matrix, side: float, threshold: float) -> list[Detection]:
        """Faces in one square view. `view` maps picture pixels onto a square of `side`; results are picture pixels."""
        scale = self._layout.side / side
        matrix = np.asarray(view) * scale
        crop = pyramid_of(picture).warp(matrix, self._layout.side)
        raw, logits = self._network(crop[None].astype(np.float32) / np.float32(127.5) - np.float32(1))
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        keep = np.flatnonzero(scores >= threshold)
        back = invert(matrix)
        found = [self._decode(raw[0, i], self._anchors[i], float(scores[i]), back) for i in keep]
        return merge(found)

    def _decode(self, raw: NDArray[np.float32], anchor: NDArray[np.float32], score: float, back: Matrix) -> Detection:
        pixels = raw.reshape(8, 2)
        centre = pixels[0] + anchor * self._layout.side
        points = apply(back, pixels[2:] + anchor * self._layout.side)
        scale = np.sqrt(abs(np.linalg.det(back[:, :2])))
        half = pixels[1] * scale / 2
        middle = apply(back, centre[None])[0]
        return Detection(np.concatenate([middle - half, middle + half]).astype(np.float32), points, score)


def merge(detections: list[Detection], overlap: float = 0.35) -> list[Detection]:
    """Non-maximum suppression that averages each cluster by score, which steadies boxes (BlazeFace paper, 3.2)."""
    rest = sorted(detections, key=lambda d: -d.score)
    merged = []
    while rest:
        best = rest[0]
        cluster = [d for d in rest if box_overlap(best.box_xyxy, d.box_xyxy) > overlap]
        rest = [d for d in rest if all(d is not c for c in cluster)]
        weights = np.array([d.score for d in cluster]) / sum(d.score for d in cluster)
        box = np.tensordot(weights, np.stack([d.box_xyxy for d in cluster]), 1).astype(np.float32)
        points = np.tensordot(weights, np.stack([d.points for d in cluster]), 1).astype(np.float32)
        merged.append(Detection(box, points, best.score))
    return merged
