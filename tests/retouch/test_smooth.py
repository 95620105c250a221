"""Smoothing: identity at 0, texture down, edges and protected places kept. White balance: casts go, grey stays."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.errors import ConfigError
from portraitist.retouch.smooth import smooth
from portraitist.retouch.white_balance import white_balance
from portraitist.types import Image


def test_strength_zero_is_the_picture(astronaut: Image) -> None:
    assert smooth(astronaut, 0) is astronaut


def test_texture_falls_and_edges_stay() -> None:
    rng = np.random.default_rng(0)
    image = np.full((128, 128, 3), 120.0) + rng.normal(0, 4, (128, 128, 1))
    image[:, 64:] += 100
    before = np.clip(image, 0, 255).astype(np.uint8)
    after = smooth(before, 1.0)
    assert after[:, 10:50].std() < 0.6 * before[:, 10:50].std()
    assert after[:, 66:70].mean() - after[:, 58:62].mean() > 92


def test_protected_pixels_do_not_change(astronaut: Image) -> None:
    protect = np.zeros(astronaut.shape[:2], np.float32)
    protect[:256] = 1
    after = smooth(astronaut, 0.8, protect=protect)
    assert (after[:256] == astronaut[:256]).all()
    assert (after[256:] != astronaut[256:]).any()


def test_strength_out_of_range_is_refused(astronaut: Image) -> None:
    with pytest.raises(ConfigError, match="strength"):
        smooth(astronaut, 1.2)


def test_white_balance_takes_a_cast_back(astronaut: Image) -> None:
    balanced = white_balance(astronaut)
    warm = np.clip(astronaut * np.array([1.0, 0.92, 0.8]), 0, 255).astype(np.uint8)
    before = np.abs(warm.astype(float) - balanced).mean()
    after = np.abs(white_balance(warm).astype(float) - balanced).mean()
    assert after < 0.7 * before
    assert (white_balance(astronaut, strength=0) == astronaut).all()


def test_grey_picture_keeps_its_grey() -> None:
    grey = np.repeat(np.arange(20, 200, dtype=np.uint8)[None, :, None], 60, 0).repeat(3, 2)
    assert np.abs(white_balance(grey).astype(int) - grey).max() <= 1
