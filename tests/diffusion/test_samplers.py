"""Samplers by name on the pipelines that can take them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.samplers import set_sampler
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
