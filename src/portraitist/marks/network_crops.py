"""Crops of labelled views, changed a little each time: what one step of training sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.geometry import Matrix, apply
from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.labelled import LabelledView
from portraitist.marks.network_input import prepared
from portraitist.marks.network_targets import Targets, targets
from portraitist.types import Image, Mask

NEAR_A_MARK = 0.7
"""Share of crops around a mark, of a kind drawn first, so that rare kinds are seen as often as common ones."""
TURN = 25.0
SCALES = (0.55, 1.3)
"""Views of 640 px are 0.63 of those of 1,024."""


@dataclass(frozen=True, eq=False)
class Crop:
    """pixels: (side, side, 3). skin, ignore: (side, side). marks: in pixels of the crop."""

    pixels: Image
    skin: Mask
    ignore: Mask
    marks: tuple[AnnotatedMark, ...]

    @property
    def inputs(self) -> NDArray[np.float32]:
        """(4, side, side) what the network is shown."""
        return prepared(self.pixels, self.skin)

    @property
    def targets(self) -> Targets:
        """What it should say."""
        return targets(self.marks, self.skin, self.ignore)


def draw_crop(item: LabelledView, side: int, rng: np.random.Generator) -> Crop:
    """A crop of `side` pixels: turned, scaled, mirrored, lit and compressed at random."""
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    matrix = _matrix(_middle(item, side / scale, rng), scale, rng.uniform(-TURN, TURN), rng.random() < 0.5, side)
    size, view = (side, side), item.view
    # What is beyond the view is no skin, so whatever is there says nothing.
    pixels = cv2.warpAffine(_softened(view.pixels, scale), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    skin, ignore = (np.asarray(cv2.warpAffine(mask, matrix, size), np.float32) for mask in (view.skin, item.ignore))
    moved = [_moved(mark, matrix, scale) for mark in item.marks]
    marks = tuple(mark for mark in moved if _reaches(mark, side))
    return Crop(_in_other_light(np.asarray(pixels, np.uint8), rng), skin, ignore, marks)


def _middle(item: LabelledView, reach: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(2,) where in the view a crop that covers `reach` pixels is centred."""
    kinds = sorted({mark.kind for mark in item.marks if mark.is_sure})
    if kinds and rng.random() < NEAR_A_MARK:
        kind = kinds[rng.integers(len(kinds))]
        marks = [mark for mark in item.marks if mark.kind == kind and mark.is_sure]
        points = marks[rng.integers(len(marks))].points
        near = np.asarray(points[rng.integers(len(points))], np.float64)
        return near + rng.uniform(-0.4, 0.4, 2) * reach
    skin = np.argwhere(item.view.skin[::8, ::8] > 0.5)
    if not len(skin):
        return np.full(2, item.view.side / 2)
    return np.asarray(8.0 * skin[rng.integers(len(skin))][::-1], np.float64)


def _matrix(middle: NDArray[np.float64], scale: float, turn: float, is_mirrored: bool, side: int) -> Matrix:
    """(2, 3) from pixels of the view to pixels of the crop."""
    sine, cosine = np.sin(np.radians(turn)), np.cos(np.radians(turn))
    linear = scale * np.array([[cosine, -sine], [sine, cosine]])
    if is_mirrored:
        linear = linear @ np.diag([-1.0, 1.0])
    return np.concatenate([linear, (side / 2 - linear @ middle)[:, None]], axis=1)


def _softened(pixels: Image, scale: float) -> Image:
    """Before a picture is made smaller, what would alias is taken out."""
    if scale > 0.8:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.5 * np.sqrt(scale**-2 - 1)), np.uint8)


def _in_other_light(pixels: Image, rng: np.random.Generator) -> Image:
    """Exposure, gamma, white balance, and for some a compression or sensor noise."""
    values = (pixels.astype(np.float32) / 255) ** rng.uniform(0.75, 1.35)
    values = values * np.float32(rng.uniform(0.75, 1.2) * rng.uniform(0.92, 1.08, 3))
    if rng.random() < 0.3:
        values = values + rng.normal(0, rng.uniform(0.002, 0.015), values.shape).astype(np.float32)
    changed = np.asarray(np.clip(255 * values + 0.5, 0, 255), np.uint8)
    if rng.random() < 0.3:
        coded = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 95))])[1]
        changed = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return changed


def _moved(mark: AnnotatedMark, matrix: Matrix, scale: float) -> AnnotatedMark:
    diameter = None if mark.diameter is None else mark.diameter * scale
    return AnnotatedMark(mark.kind, apply(matrix, mark.points), diameter, mark.is_sure)


def _reaches(mark: AnnotatedMark, side: int) -> bool:
    """Whether any of it, or of what surrounds it, may be in the crop."""
    margin = 2 * (mark.diameter or 0) + 16
    return bool((mark.points.max(0) > -margin).all() and (mark.points.min(0) < side + margin).all())


def draw_batch(
    items: Sequence[LabelledView], count: int, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """`count` crops of the views in turn: inputs (count, 4, side, side), and maps and weights for `map_losses`."""
    crops = [draw_crop(items[number % len(items)], side, rng) for number in range(count)]
    made = [crop.targets for crop in crops]
    weights = [np.stack([each.counts, each.has_diameter, each.has_width]) for each in made]
    return np.stack([crop.inputs for crop in crops]), np.stack([each.maps for each in made]), np.stack(weights)
