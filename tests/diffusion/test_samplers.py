"""Samplers by name on the pipelines that can take them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.samplers import set_sampler, space_levels
from portraitist.errors import ConfigError
from portraitist.styles.style import SAMPLERS
from tests.diffusion.tiny_bases import draw_tiny, tiny_pipeline


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "base"])
def test_every_sampler_draws_on_sd15(name: str) -> None:
    pipeline = tiny_pipeline("sd15")
    assert set_sampler(pipeline, name)
    picture = draw_tiny(pipeline, "sd15", steps=3)
    assert np.isfinite(picture).all()
    assert picture.std() > 0


@pytest.mark.parametrize("base", ["mini", "flux2-klein-4b", "z-image"])
def test_a_flow_keeps_its_own(base: str) -> None:
    pipeline = tiny_pipeline(base)
    before = pipeline.scheduler
    assert not set_sampler(pipeline, "euler")
    assert pipeline.scheduler is before


def test_base_changes_nothing_and_an_unknown_name_is_said() -> None:
    pipeline = tiny_pipeline("sd15")
    before = pipeline.scheduler
    assert not set_sampler(pipeline, "base")
    assert pipeline.scheduler is before
    with pytest.raises(ConfigError, match="heun9"):
        set_sampler(pipeline, "heun9")


def test_mini_draws_words_above_the_speckles_and_pictures_from_the_level_asked_for() -> None:
    pipeline = tiny_pipeline("mini")
    space_levels(pipeline, "control")
    pipeline.scheduler.set_timesteps(20)
    assert float(pipeline.scheduler.sigmas[19]) > 0.3
    space_levels(pipeline, "control_image")
    pipeline.scheduler.set_timesteps(20)
    start = 20 - round(0.45 * 20)
    assert float(pipeline.scheduler.sigmas[start]) == pytest.approx(0.45, abs=0.03)


def test_other_bases_keep_their_levels() -> None:
    pipeline = tiny_pipeline("z-image")
    before = pipeline.scheduler
    space_levels(pipeline, "text")
    assert pipeline.scheduler is before
