"""The smooth skin is found under marks and shading, and the noise is that of the texture, not of the marks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from portraitist.marks.local_skin import fit_skin, masked_blur, noise_of

SIDE = 256
WHOLE = np.ones((SIDE, SIDE), np.float32)


def _shaded(noise: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Skin lit from the left, and the same with noise."""
    light = np.broadcast_to(np.linspace(70, 55, SIDE), (SIDE, SIDE))
    plain = np.dstack([light, np.full_like(light, 12), np.full_like(light, 16)]).astype(np.float32)
    texture = np.random.default_rng(3).normal(0, noise, plain.shape).astype(np.float32)
    return plain, plain + texture


def test_shading_is_followed_and_marks_are_not() -> None:
    plain, lab = _shaded()
    cv2.circle(lab, (128, 128), 5, (30, 18, 20), -1)
    fit = fit_skin(lab, WHOLE, 12)
    inner = (slice(20, -20), slice(20, -20))
    assert np.abs(fit.smooth - plain)[inner].max() < 1.2
    assert abs(float(fit.smooth[128, 128, 0] - plain[128, 128, 0])) < 0.7


def test_noise_is_that_of_the_texture() -> None:
    _, lab = _shaded(noise=1.5)
    clean = fit_skin(lab, WHOLE, 12).noise[40:-40, 40:-40]
    np.testing.assert_allclose(clean.mean(axis=(0, 1)), 1.5, rtol=0.1)
    lab[100:110, 100:110] -= 40
    marked = fit_skin(lab, WHOLE, 12).noise[40:-40, 40:-40]
    assert marked.max() < 1.2 * clean.max()


def test_what_is_no_skin_does_not_leak_in() -> None:
    plain, lab = _shaded(noise=0.5)
    lab[:, 150:] = (5, 0, 0)
    skin = WHOLE.copy()
    skin[:, 150:] = 0
    fit = fit_skin(lab, skin, 12)
    assert np.abs(fit.smooth - plain)[30:-30, 30:149].max() < 3
    assert np.isfinite(fit.smooth).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_skin_and_flat_skin_are_no_trouble(value: float) -> None:
    lab = np.full((64, 64, 3), 40, np.float32)
    fit = fit_skin(lab, np.full((64, 64), value, np.float32), 9)
    np.testing.assert_allclose(fit.smooth, 40, atol=1e-3)
    assert (fit.noise > 0).all()


def test_a_wide_blur_on_a_small_copy_is_the_blur() -> None:
    values = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    values = cv2.GaussianBlur(values, (0, 0), 4)
    wide = masked_blur(values, WHOLE, 12)
    exact = cv2.GaussianBlur(values, (0, 0), 12, borderType=cv2.BORDER_CONSTANT)
    reach = cv2.GaussianBlur(WHOLE, (0, 0), 12, borderType=cv2.BORDER_CONSTANT)
    assert np.abs(wide - exact / reach).max() < 0.15 * values.std()


def test_one_layer_is_as_good_as_three() -> None:
    layer = np.random.default_rng(1).normal(0, 2, (SIDE, SIDE)).astype(np.float32)
    noise = noise_of(layer, WHOLE, 20)
    assert noise.shape == layer.shape
    np.testing.assert_allclose(noise[40:-40, 40:-40], 2, rtol=0.15)
