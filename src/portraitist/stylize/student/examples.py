"""Batches of pairs: crops, changed alike where the pair must stay one, and unlike where the photo may differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from portraitist.stylize.domain import Domain
from portraitist.stylize.pairs import Pair, PairFolder
from portraitist.types import Image

SCALES = (0.8, 1.25)
TURN = 10.0
"""Degrees either way."""
LIGHT = 0.15
"""Largest change of brightness, contrast, saturation and the channels' balance of the photo alone."""


@dataclass(frozen=True)
class Examples:
    """photos, painted: (n, 3, side, side) in [0, 1]. masks: (n, 1, side, side), None without."""

    photos: Tensor
    painted: Tensor
    masks: Tensor | None


def draw_examples(
    pairs: PairFolder,
    count: int,
    side: int,
    rng: np.random.Generator,
    *,
    augment: bool,
    chances: NDArray[np.float64] | None = None,
) -> Examples:
    """Crops of `count` pairs drawn with replacement. A pair smaller than the crop is enlarged to it. chances: of each
    pair, summing to 1; without them all are alike."""
    places = rng.choice(len(pairs), size=count, p=chances)
    drawn = [_example(pairs[int(place)], side, rng, augment) for place in places]
    photos, painted, masks = (list(part) for part in zip(*drawn, strict=True))
    has_masks = all(mask is not None for mask in masks)
    return Examples(_tensor(photos), _tensor(painted), _tensor(masks) if has_masks else None)


def draw_crops(domain: Domain, count: int, side: int, rng: np.random.Generator, *, augment: bool) -> Tensor:
    """(count, 3, side, side) in [0, 1]: pictures of a domain, moved as pairs are."""
    pictures = domain.images[rng.integers(len(domain), size=count)]
    return _tensor([_warped(picture, _window(domain.side, side, rng, augment), side) for picture in pictures])


def _example(pair: Pair, side: int, rng: np.random.Generator, augment: bool) -> tuple[NDArray[np.float32] | None, ...]:
    matrix = _window(pair.photo.shape[0], side, rng, augment)
    layers = (pair.photo, pair.painted, None if pair.mask is None else pair.mask[..., None])
    photo, painted, mask = (None if layer is None else _warped(layer, matrix, side) for layer in layers)
    assert photo is not None
    return (relit(photo, rng) if augment else photo), painted, mask


def _window(size: int, side: int, rng: np.random.Generator, augment: bool) -> NDArray[np.float64]:
    """(2, 3) from the pair's pixels to the crop's."""
    scale, angle, flips = max(1.0, side / size), 0.0, False
    if augment:
        scale *= float(np.exp(rng.uniform(*np.log(SCALES))))
        angle, flips = float(np.radians(rng.uniform(-TURN, TURN))), rng.random() < 0.5
    room = max(0.0, size - side / scale) / 2
    centre = size / 2 + rng.uniform(-room, room, 2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if flips:
        turn = turn @ np.diag([-1.0, 1.0])
    return np.column_stack([turn, side / 2 - turn @ centre])


def _warped(layer: Image | NDArray[np.float32], matrix: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """(side, side, c) in [0, 1]."""
    flags = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    warped = cv2.warpAffine(layer, matrix, (side, side), **flags).reshape(side, side, -1).astype(np.float32)
    return np.asarray(warped / np.float32(255 if layer.dtype == np.uint8 else 1), np.float32)


def relit(photo: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The photo (h, w, 3) in other light: a painter must paint the same face in it."""
    brightness, contrast, saturation = rng.uniform(-LIGHT, LIGHT, 3)
    balance = 1 + rng.uniform(-LIGHT / 3, LIGHT / 3, 3)
    grey = photo.mean(axis=2, keepdims=True)
    coloured = grey + (photo - grey) * (1 + saturation)
    changed = (coloured - 0.5) * (1 + contrast) + 0.5 + brightness
    return np.asarray(np.clip(changed * balance, 0, 1), np.float32)


def _tensor(layers: Sequence[NDArray[np.float32] | None]) -> Tensor:
    stacked = np.stack([layer for layer in layers if layer is not None])
    return torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
