"""Portraits from words on every base's real class with tiny weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.errors import ConfigError
from portraitist.generate.config import DrawConfig
from portraitist.generate.text import TextEngine, TextOrder
from tests.diffusion.tiny_bases import CALL, IMAGE_SIDE, tiny_pipeline

BASES = ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image")


def engine(base: str, config: DrawConfig = DrawConfig(num_steps=2)) -> TextEngine:
    side = {"height": IMAGE_SIDE[base], "width": IMAGE_SIDE[base]}
    return TextEngine(tiny_pipeline(base), config, 2, 2.0, options={**side, **CALL.get(base, {})})


@pytest.mark.parametrize("base", BASES)
def test_every_base_draws(base: str) -> None:
    portraits = list(engine(base)(TextOrder(["portrait", "portrait, smiling"], sources=("a",)), seed=1))
    assert len(portraits) == 2
    for portrait, prompt in zip(portraits, ("portrait", "portrait, smiling"), strict=True):
        assert portrait.image.shape == (IMAGE_SIDE[base], IMAGE_SIDE[base], 3)
        assert portrait.image.dtype == np.uint8
        assert portrait.sources == ("a",)
        assert portrait.details["prompt"] == prompt
    assert (portraits[0].image != portraits[1].image).any()


def test_a_portrait_does_not_depend_on_the_batch() -> None:
    order = TextOrder(["portrait"] * 3)
    together = [p.image.astype(int) for p in engine("mini")(order, seed=7)]
    alone = [p.image.astype(int) for p in engine("mini", DrawConfig(num_steps=2, batch=1))(order, seed=7)]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one - other).max() <= 1
    assert np.abs(together[0] - together[1]).max() > 1


def test_a_later_start_has_the_same_bits() -> None:
    order, config = TextOrder(["portrait"] * 5), DrawConfig(num_steps=2, batch=2)
    whole = [p.image for p in engine("mini", config)(order, seed=7)]
    later = [p.image for p in engine("mini", config)(order, seed=7, start=3)]
    assert len(later) == 2
    for one, other in zip(whole[3:], later, strict=True):
        np.testing.assert_array_equal(one, other)


def test_whoever_stops_iterating_cancels() -> None:
    drawing = engine("mini", DrawConfig(num_steps=2, batch=1))
    seen: list[int] = []
    drawing.report = lambda step: seen.append(step.done)
    next(iter(drawing(TextOrder(["portrait"] * 5), seed=0)))
    assert seen == [1]


def test_an_unknown_adapter_is_said() -> None:
    with pytest.raises(ConfigError, match="anna"):
        next(iter(engine("mini")(TextOrder(["portrait"], adapters={"anna": 1.0}), seed=0)))


def test_a_negative_prompt_changes_the_picture() -> None:
    plain, other = (next(iter(engine("mini")(TextOrder(["portrait"], n), seed=0))) for n in ("", "smiling"))
    assert (plain.image != other.image).any()


def test_a_base_without_negative_prompts_is_not_given_one() -> None:
    assert {base: engine(base).takes_negative for base in BASES} == {base: base != "flux2-klein-4b" for base in BASES}
    plain, other = (next(iter(engine("flux2-klein-4b")(TextOrder(["portrait"], n), seed=0))) for n in ("", "dark"))
    np.testing.assert_array_equal(plain.image, other.image)
