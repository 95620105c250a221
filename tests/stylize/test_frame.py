"""A painting put back: nothing outside changes, strength mixes, and a frame beyond the picture does no harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.geometry import similarity_matrix
from portraitist.stylize.frame import paste

IMAGE = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def _matrix(x: float, y: float, side: float, angle: float = 0.0) -> np.ndarray:
    """A square of the picture onto a frame of 64 px."""
    turn = np.radians(angle)
    across, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    corners = np.array([x, y]) + side * np.array([[0, 0], across, down, across + down])
    return similarity_matrix(corners, 64.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))


@settings(max_examples=30, deadline=None)
@given(st.floats(-80, 130), st.floats(-80, 100), st.floats(8, 200), st.floats(-180, 180), st.floats(0, 1))
def test_nothing_outside_the_region_changes(x: float, y: float, side: float, angle: float, strength: float) -> None:
    painted, region = np.full((64, 64, 3), 255, np.uint8), np.zeros((64, 64), np.float32)
    region[16:48, 16:48] = 1
    before = IMAGE.copy()
    result, shown = paste(IMAGE, painted, region, _matrix(x, y, side, angle), strength)
    assert np.array_equal(result[shown == 0], IMAGE[shown == 0])
    assert shown.max() <= strength + 1e-6
    assert np.array_equal(IMAGE, before), "the picture given is left as it was"
    assert result.dtype == np.uint8


def test_at_its_own_scale_the_painting_is_the_painting() -> None:
    painted = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    result, shown = paste(IMAGE, painted, np.ones((64, 64), np.float32), _matrix(20, 10, 64), 1.0)
    assert shown[12:70, 22:80].min() == pytest.approx(1)
    assert np.abs(result[12:70, 22:80].astype(int) - painted[2:60, 2:60]).max() <= 1


def test_strength_mixes_evenly() -> None:
    painted, region = np.full((64, 64, 3), 255, np.uint8), np.ones((64, 64), np.float32)
    away = [
        np.abs(paste(IMAGE, painted, region, _matrix(20, 10, 64), s)[0].astype(int) - IMAGE).mean()
        for s in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert away[0] == 0
    assert np.diff(away) == pytest.approx([away[4] / 4] * 4, rel=0.02)


def test_a_finer_frame_is_averaged_down() -> None:
    """One bright pixel in eight stays an eighth of the light, wherever the samples fall."""
    painted = np.zeros((64, 64, 3), np.uint8)
    painted[:, ::8] = 255
    result, _ = paste(np.zeros_like(IMAGE), painted, np.ones((64, 64), np.float32), _matrix(20, 10, 16), 1.0)
    assert result[12:24, 22:34].mean() == pytest.approx(255 / 8, rel=0.25)
