"""Restoration must help what is poor and leave what is good."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.errors import ConfigError
from portraitist.retouch.restore import deblur, estimate_blur, estimate_noise, restore
from portraitist.types import Image


def _psnr(a: Image, b: Image) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def _spoilt(image: Image, blur: float, noise: float) -> Image:
    soft = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    return np.clip(soft + np.random.default_rng(0).normal(0, noise, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("blur", "noise", "gain"), [(0, 10, 2.0), (2.0, 1, 0.4), (1.8, 6, 0.5)])
def test_restore_brings_a_poor_photo_nearer_to_the_clean_one(
    astronaut: Image, blur: float, noise: float, gain: float
) -> None:
    clean = astronaut[:300, 100:400]
    poor = _spoilt(clean, blur, noise)
    assert _psnr(restore(poor), clean) > _psnr(poor, clean) + gain


def test_a_good_photo_is_left_alone(astronaut: Image) -> None:
    assert (restore(astronaut) == astronaut).all()


def test_mix_zero_is_the_photo_and_mix_beyond_is_refused(astronaut: Image) -> None:
    poor = _spoilt(astronaut, 2, 8)
    assert restore(poor, mix=0) is poor
    with pytest.raises(ConfigError, match="mix"):
        restore(poor, mix=1.5)


def test_estimates_grow_with_what_was_done(astronaut: Image) -> None:
    noises = [estimate_noise(_spoilt(astronaut, 0, n)) for n in (0, 6, 14)]
    blurs = [estimate_blur(_spoilt(astronaut, b, 1)) for b in (0, 1.5, 3)]
    assert noises == sorted(noises)
    assert blurs == sorted(blurs)
    assert blurs[2] - blurs[0] > 1


def test_deblur_does_not_ring_at_the_border() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert np.abs(deblur(flat, 2.0).astype(int) - 128).max() <= 1
