"""Boundaries close, pigment ends inside its window, and a relief is lit from where the light is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraitist.marks.render_config import JUDGING, TRAINING, RenderConfig
from portraitist.marks.render_points import _cover, _from_middle, draw_points, size
from portraitist.marks.render_surface import Ground
from portraitist.types import Light
from tests.marks.plain_views import plain


def _grid(reach: float = 4.0, count: int = 401) -> np.ndarray:
    axis = np.linspace(-reach, reach, count)
    return np.stack(np.meshgrid(axis, axis), axis=-1)


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
@pytest.mark.parametrize("seed", range(12))
def test_a_boundary_is_one_closed_line_about_as_wide_as_asked(config: RenderConfig, seed: int) -> None:
    places, radius = _grid(), 1.3
    inside = _from_middle(places, radius, config, np.random.default_rng(seed)) < 1
    assert inside[200, 200]
    assert not np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]]).any()
    across = 2 * np.sqrt(inside.sum() * 0.02**2 / np.pi)
    assert 0.6 * 2 * radius < across < 1.5 * 2 * radius


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
@pytest.mark.parametrize("softness", [0.05, 0.2, 0.4])
def test_cover_is_a_half_on_the_boundary_and_falls(config: RenderConfig, softness: float) -> None:
    cover = _cover(np.linspace(0, 3, 301, dtype=np.float32), softness, config)
    assert cover[100] == pytest.approx(0.5, abs=0.01)
    assert (np.diff(cover) <= 1e-6).all()
    assert cover[0] > 0.95
    assert cover[-1] < 0.01


def test_sizes_stay_in_their_range_and_small_ones_are_more_frequent() -> None:
    rng = np.random.default_rng(0)
    drawn = [size((1.0, 4.0), rng) for _ in range(400)]
    assert min(drawn) >= 1
    assert max(drawn) <= 4
    assert np.median(drawn) == pytest.approx(2.0, abs=0.25)


def test_density_ends_inside_each_window() -> None:
    view = plain(side=512)
    ground = Ground.of(view)
    for _, window in draw_points(ground, replace(TRAINING, hairs=(0, 0)), np.random.default_rng(3)):
        drawn = np.abs(ground.density[window])
        assert drawn.max() > 0.05
        assert max(drawn[0].max(), drawn[-1].max(), drawn[:, 0].max(), drawn[:, -1].max()) < 1e-6


@pytest.mark.parametrize(("direction", "axis", "sign"), [((0.0, -8.0), 0, 1), ((8.0, 0.0), 1, -1)])
def test_a_bump_is_brighter_towards_the_light(direction: tuple[float, float], axis: int, sign: int) -> None:
    ground = replace(Ground.of(plain(side=256)), light=Light(50.0, direction, 8.0))
    steps = np.linspace(-2, 2, 41)
    bump = np.exp(-(steps[:, None] ** 2) - steps[None] ** 2).astype(np.float32)
    density = ground.shade(bump, 1.0)
    first, second = np.take(density, range(20), axis).mean(), np.take(density, range(21, 41), axis).mean()
    assert sign * first < 0 < sign * second
    assert np.abs(ground.shade(-bump, 1.0) + density).max() < 1e-6
