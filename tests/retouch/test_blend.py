"""Multi-band blending keeps what it should and mixes what it should."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.retouch.blend import blend_multiband


@settings(max_examples=25, deadline=None)
@given(st.integers(16, 90), st.integers(16, 90), st.integers(1, 6), st.integers(0, 99))
def test_a_full_mask_gives_the_front_and_an_empty_one_the_back(h: int, w: int, levels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    front, back = random.random((2, h, w, 3)).astype(np.float32)
    assert np.abs(blend_multiband(front, back, np.ones((h, w), np.float32), levels) - front).max() < 1e-4
    assert np.abs(blend_multiband(front, back, np.zeros((h, w), np.float32), levels) - back).max() < 1e-4


def test_flat_colours_meet_without_a_step() -> None:
    front, back = np.full((128, 128, 3), 0.8, np.float32), np.full((128, 128, 3), 0.2, np.float32)
    mask = np.zeros((128, 128), np.float32)
    mask[:, 64:] = 1
    mixed = blend_multiband(front, back, mask, 5)[64, :, 0]
    assert np.abs(np.diff(mixed)).max() < 0.1 < np.abs(np.diff(0.2 + 0.6 * mask[64])).max()
    assert mixed[4] < 0.3
    assert mixed[-4] > 0.7
