"""Skin moves to another skin's lightness and chroma; its own contrast and gloss stay sane."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.retouch.colour import from_lab, lightness_of, luminance, match_skin, skin_tone, to_lab


def patch(lightness: float, a: float, b: float, *, slope: float = 0.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    l_ = random.normal(lightness, 5, (64, 64))
    chroma = [value + slope * (l_ - lightness) + random.normal(0, 1, l_.shape) for value in (a, b)]
    return np.dstack([l_, *chroma]).astype(np.float32)


EVERYWHERE = np.ones((64, 64), np.float32)


def test_lab_round_trip() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    assert np.abs(from_lab(to_lab(image)) * 255 - image).max() < 1.0


def test_luminance_and_lightness_are_inverse() -> None:
    lightness = np.linspace(0, 100, 101, dtype=np.float32)
    assert np.abs(lightness_of(luminance(lightness)) - lightness).max() < 1e-3
    assert luminance(np.float32(100)) == pytest.approx(1.0)
    assert luminance(np.float32(50)) == pytest.approx(0.1842, abs=1e-3)  # CIE: L* 50 is 18 % grey


@pytest.mark.parametrize(("source", "target"), [((70, 12, 16), (40, 15, 20)), ((30, 8, 10), (75, 12, 18))])
def test_the_mean_lands_on_the_target(source: tuple[float, ...], target: tuple[float, ...]) -> None:
    ours, theirs = patch(*source), patch(*target, slope=-0.1, seed=1)
    moved = match_skin(ours, skin_tone(ours, EVERYWHERE), skin_tone(theirs, EVERYWHERE))
    assert np.abs(moved.reshape(-1, 3).mean(0) - target).max() < 2.5


def test_chroma_follows_the_target_line() -> None:
    ours, theirs = patch(60, 12, 16), patch(60, 12, 16, slope=-0.4, seed=1)
    moved = match_skin(ours, skin_tone(ours, EVERYWHERE), skin_tone(theirs, EVERYWHERE)).reshape(-1, 3)
    assert np.polyfit(moved[:, 0], moved[:, 1], 1)[0] == pytest.approx(-0.4, abs=0.12)


def test_dark_brows_stay_dark_when_skin_becomes_light() -> None:
    ours, theirs = patch(30, 8, 10), patch(75, 12, 18, seed=1)
    brow = ours.copy()
    brow[:8] = (12, 2, 2)
    moved = match_skin(brow, skin_tone(ours, EVERYWHERE), skin_tone(theirs, EVERYWHERE))
    assert moved[:8, :, 0].mean() < 50 < 70 < moved[20:, :, 0].mean()


def test_gloss_does_not_burn_out() -> None:
    ours, theirs = patch(30, 8, 10), patch(75, 12, 18, seed=1)
    gloss = ours.copy()
    gloss[:4] = (65, 2, 2)
    tone = skin_tone(theirs, EVERYWHERE)
    assert match_skin(gloss, skin_tone(ours, EVERYWHERE), tone)[:4, :, 0].max() < tone.high + 5.5


def test_teeth_stay_neutral_when_skin_changes() -> None:
    ours, theirs = patch(32, 14, 18), patch(75, 8, 10, seed=1)
    teeth = ours.copy()
    teeth[:6] = (70, 0, 4)
    moved = match_skin(teeth, skin_tone(ours, EVERYWHERE), skin_tone(theirs, EVERYWHERE))
    assert np.abs(moved[:6, :, 1]).max() < 2.5
    assert (moved[:6, :, 2] > -1).all()


def test_too_little_skin_is_an_error() -> None:
    with pytest.raises(InputError, match="30 pixels"):
        skin_tone(patch(50, 0, 0), np.zeros((64, 64), np.float32))
