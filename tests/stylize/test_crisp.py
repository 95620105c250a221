"""Enlarged drawings have crisp borders, no colour that was not there before, and their shapes stay where they were."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.stylize.crisp import enlarged_crisply, flattened
from portraitist.types import Image

COLOURS = (30, 220)


@pytest.fixture(scope="module")
def disc() -> Image:
    """A dark disc of 16 px on light paper, its border as soft as a picture of 32 px has it."""
    large = np.full((256, 256, 3), COLOURS[1], np.uint8)
    cv2.circle(large, (128, 128), 64, (COLOURS[0],) * 3, -1)
    return np.asarray(cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA), np.uint8)


def _between(picture: Image) -> float:
    """Part of the pixels that are neither of the two colours."""
    grey = picture[..., 0].astype(int)
    return float(((grey > COLOURS[0] + 20) & (grey < COLOURS[1] - 20)).mean())


def test_borders_are_crisp_and_stay_where_they_were(disc: Image) -> None:
    soft, crisp = cv2.resize(disc, (256, 256), interpolation=cv2.INTER_CUBIC), enlarged_crisply(disc, 256)
    assert crisp.shape == (256, 256, 3)
    assert _between(crisp) < 0.4 * _between(soft)
    area = (crisp[..., 0] < 125).sum()
    assert area == pytest.approx(np.pi * 64**2, rel=0.04)


def test_no_colour_beyond_what_was_there(disc: Image) -> None:
    crisp = enlarged_crisply(disc, 256)
    assert crisp.min() >= disc.min()
    assert crisp.max() <= disc.max()
    flat = np.full((16, 16, 3), 77, np.uint8)
    assert (enlarged_crisply(flat, 64) == 77).all()


def test_flat_colours_lose_their_noise_and_borders_stay(disc: Image) -> None:
    noise = np.random.default_rng(0).normal(0, 6, disc.shape)
    noisy = np.clip(disc + noise, 0, 255).astype(np.uint8)
    even, inside = flattened(noisy), np.s_[12:20, 12:20]
    assert even[inside].std() < 0.5 * noisy[inside].std()
    assert np.abs(even.astype(int) - disc)[disc[..., 0] == COLOURS[0]].mean() < 6
    assert ((even[..., 0] < 125) == (disc[..., 0] < 125)).mean() > 0.99
