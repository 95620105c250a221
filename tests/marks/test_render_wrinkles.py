"""Creases run where faces have them, taper, and are cut where the skin ends."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from portraitist.marks.render_config import JUDGING, TRAINING, RenderConfig
from portraitist.marks.render_lines import lines, resample
from portraitist.marks.render_surface import Ground
from portraitist.marks.render_wrinkles import _longest, _section, draw_wrinkles
from tests.marks.plain_views import plain


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_lines_are_smooth_and_on_or_near_the_face(config: RenderConfig) -> None:
    view = plain(side=512)
    low, high = view.face.landmarks[:, :2].min(0), view.face.landmarks[:, :2].max(0)
    for line, wider in islice(lines(view.face, view.mm, config, np.random.default_rng(0)), 40):
        assert wider >= 1
        middle = line.mean(0)
        assert (middle > low - 30).all()
        assert (middle < high + 30).all()
        step = np.diff(resample(line, 1.0), axis=0)
        heading = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        assert np.abs(np.diff(heading)).max(initial=0) < 0.8


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_a_crease_tapers_and_its_truth_leaves_the_faint_ends_out(config: RenderConfig) -> None:
    ground = Ground.of(plain(side=1024))
    drawn = list(draw_wrinkles(ground, config, np.random.default_rng(2)))
    assert drawn
    for crease, window, band in drawn:
        assert crease.depth.max() == pytest.approx(1)
        assert max(crease.depth[0], crease.depth[-1]) < 0.2
        assert 2 <= len(crease.seen) < len(crease.line)
        assert not ground.free[window][band].any()
        apart = np.linalg.norm(np.diff(crease.line, axis=0), axis=1).sum() * ground.view.mm
        assert apart >= config.wrinkle_mm[0] - 1


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_a_section_is_deepest_in_the_middle_and_half_as_deep_at_half_the_width(config: RenderConfig) -> None:
    middle, half, end = _section(np.array([0.0, 0.5, 3.0]), config)
    assert middle == pytest.approx(1)
    assert half == pytest.approx(0.5, abs=0.01)
    assert end == 0


def test_the_longest_run_is_found() -> None:
    assert _longest(np.array([1, 1, 0, 1, 1, 1, 0], bool)) == (3, 6)
    assert _longest(np.zeros(4, bool)) == (0, 0)
    assert _longest(np.ones(4, bool)) == (0, 4)
