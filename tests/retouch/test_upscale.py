"""Tiles must not be seen, and the network must beat bicubic."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from portraitist.errors import ConfigError, PlacementError
from portraitist.placement import Placement
from portraitist.retouch.upscale import Upscaler, _tiles
from portraitist.types import Image


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    """The fast model: tiling is the same for both."""
    return Upscaler.load("realesr-animevideov3-x4")


@pytest.mark.parametrize(
    ("h", "w", "tile", "overlap"), [(50, 60, 128, 10), (129, 128, 128, 10), (300, 517, 96, 12), (1000, 40, 64, 8)]
)
def test_tiles_cover_everything_and_overlap_enough(h: int, w: int, tile: int, overlap: int) -> None:
    seen = np.zeros((h, w), int)
    boxes = list(_tiles(h, w, tile, overlap))
    for y0, x0, y1, x1 in boxes:
        assert y1 - y0 <= tile
        assert x1 - x0 <= tile
        seen[y0:y1, x0:x1] += 1
    assert seen.min() >= 1
    lefts = sorted({x0 for _, x0, _, _ in boxes})
    assert all(b - a <= tile - 2 * overlap for a, b in itertools.pairwise(lefts))


def test_tiled_result_shows_no_seam(upscaler: Upscaler, astronaut: Image) -> None:
    part = astronaut[60:190, 160:290]
    whole, tiled = upscaler(part, 4, tile=256), upscaler(part, 4, tile=64, overlap=10)
    difference = np.abs(whole.astype(int) - tiled).max(axis=2)
    assert difference.mean() < 0.2
    assert difference.max() <= 8


def test_x4plus_is_nearer_to_the_truth_than_bicubic(astronaut: Image) -> None:
    truth = astronaut[92:188, 176:272]
    small = cv2.resize(truth, (48, 48), interpolation=cv2.INTER_AREA)
    ours = Upscaler.load()(small, 2)
    bicubic = cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC)
    sharpness = [
        float(cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std()) for p in (bicubic, ours, truth)
    ]
    assert ours.shape == truth.shape
    assert abs(sharpness[1] - sharpness[2]) < abs(sharpness[0] - sharpness[2])


def test_wrong_requests_are_refused(upscaler: Upscaler, astronaut: Image) -> None:
    with pytest.raises(ConfigError, match="scale"):
        upscaler(astronaut, 3)
    with pytest.raises(ConfigError, match="unknown"):
        Upscaler.load("waifu")
    with pytest.raises(PlacementError):
        Upscaler.load(placement=Placement(device="cuda"))
