"""Portraits in words from request to recipe, with tiny weights; the base draws a person where a face is needed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.base_row import Sampling
from portraitist.diffusion.bases import BASES
from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora, write_lora
from portraitist.errors import ConfigError, InputError
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.generate.text import TextEngine
from portraitist.identity.record import WEIGHTS
from portraitist.library import Library
from portraitist.styles.looks import add_styles, find_style
from portraitist.styles.style import StyleLora
from portraitist.tasks.config import DrawRequest, Stages
from portraitist.tasks.draw import draw
from portraitist.tasks.draw_finish import NO_FACE
from portraitist.tasks.draw_loading import SCENE_IDENTITY, sampling_of
from portraitist.tasks.replay import replay
from portraitist.tasks.train import train
from portraitist.types import Image
from tests.tasks.test_train import FEW, anna, mini  # noqa: F401  fixtures

STEPS = DrawConfig(num_steps=2, least_side=64)
PAINTING = Stages(painting=TwoPassConfig(face_steps=4, ring_steps=4, ring_denoise=0.3))


@pytest.fixture
def draws_hopper(monkeypatch: pytest.MonkeyPatch, hopper: Image) -> None:
    """A base that draws another person whatever it is asked for."""
    monkeypatch.setattr(TextEngine, "draw", lambda self, prompts, *rest: [hopper.copy() for _ in prompts])


@pytest.fixture
def learned(anna: Library) -> Library:  # noqa: F811
    train(anna, "anna", config=FEW)
    return anna


def test_the_sitter_s_face_goes_in_and_the_recipe_says_how(learned: Library, draws_hopper: None) -> None:
    saved = draw(learned, "anna", DrawRequest(seed=3), STEPS, PAINTING).saved[0]
    recipe = saved.recipe
    assert recipe.source_type == "composite"
    assert recipe.details["fusion"]["share"] == 0.8
    assert recipe.details["ring"]["controls"] == ["canny"]
    assert {"draw", "measure", "fusion", "ring", "finish"} <= set(recipe.timings)
    assert recipe.details["peak_memory_mib"] > 50
    assert {"drawing", "compose", "painting", "finish"} <= set(recipe.config)
    # One photo, which was learned from and is the texture: nothing is left to measure likeness by.
    assert recipe.likeness is None
    person, drawn = recipe.measures["people"][0], recipe.details["drawn"]["people"][0]
    assert person["source_distance"] < 0.5 < drawn["source_distance"]
    assert replay(learned, saved.recipe_path).identical


def test_fusion_and_ring_can_be_switched_off(learned: Library, draws_hopper: None, hopper: Image) -> None:
    plain = replace(STEPS, face_fusion=0.0)
    recipe = draw(learned, "anna", DrawRequest(), plain, PAINTING).saved[0].recipe
    assert recipe.source_type == "generated"
    assert {"fusion", "ring"}.isdisjoint(recipe.timings)
    assert {"fusion", "ring"}.isdisjoint(recipe.details)
    recipe = draw(learned, "anna", DrawRequest(), replace(STEPS, ring_pass=False), PAINTING).saved[0].recipe
    assert "fusion" in recipe.details
    assert "ring" not in recipe.details


def test_without_a_face_the_recipe_says_so(learned: Library) -> None:
    recipe = draw(learned, "anna", DrawRequest(), STEPS, PAINTING).saved[0].recipe
    assert recipe.details["warnings"] == [NO_FACE]
    assert recipe.source_type == "generated"


def test_a_scene_first_has_little_of_the_sitter_and_takes_the_face_whole(learned: Library, draws_hopper: None) -> None:
    request = DrawRequest(style="bright-smile", scene_first=True)
    composed = draw(learned, "anna", request, STEPS, PAINTING).saved[0]
    weight = find_style("bright-smile").identity_weight
    assert composed.recipe.details["adapters"] == {"sitter": pytest.approx(SCENE_IDENTITY * weight)}
    assert composed.recipe.details["fusion"]["share"] == 1.0
    assert "ring" not in composed.recipe.timings
    painted = draw(learned, "anna", replace(request, scene_engine="lora"), STEPS, PAINTING).saved[0]
    assert painted.recipe.timings["paint"] > 0
    assert painted.recipe.details["mean_change"] > 0
    assert painted.recipe.output != composed.recipe.output
    assert replay(learned, painted.recipe_path).identical


def style_with_lora(library: Library, lora: Lora, facts: dict[str, str]) -> Path:
    """A style of the library whose LoRA lies beside it, named by a relative path."""
    path = write_lora(library.root / "styles" / "soft.safetensors", lora, facts)
    style = replace(find_style("bright-smile"), key="soft", name="Soft", name_zh="柔", lora=StyleLora(path.name, 0.6))
    add_styles(library, [style])
    return path


def test_a_style_s_lora_joins_the_sitter_s(learned: Library) -> None:
    own = read_lora(learned.sitter("anna").identities_dir / "mini" / WEIGHTS)
    strong = Lora({path: (down, up + 0.5) for path, (down, up) in own.modules.items() if path.startswith("unet")})
    plain = draw(learned, "anna", DrawRequest(style="bright-smile"), STEPS).saved[0].recipe
    path = style_with_lora(learned, strong, {"base": "mini", "family": "mini"})
    saved = draw(learned, "anna", DrawRequest(style="soft"), STEPS).saved[0]
    assert saved.recipe.details["adapters"] == {"sitter": 1.0, "style": 0.6}
    assert saved.recipe.weights["LoRA of the style"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert saved.recipe.output != plain.output
    assert replay(learned, saved.recipe_path).identical


def test_a_lora_of_another_base_is_refused(learned: Library) -> None:
    own = read_lora(learned.sitter("anna").identities_dir / "mini" / WEIGHTS)
    path = style_with_lora(learned, own, {"base": "sd15", "family": "sd15"})
    with pytest.raises(InputError, match=r"LoRA of style 'soft': expected one for base 'mini', found one .* 'sd15'"):
        draw(learned, "anna", DrawRequest(style="soft"), STEPS)
    path.unlink()
    with pytest.raises(InputError, match=r"soft\.safetensors, found no file"):
        draw(learned, "anna", DrawRequest(style="soft"), STEPS)


def test_few_steps_where_the_base_has_them() -> None:
    style, few = replace(find_style("bright-smile"), steps=31, guidance=4.0), DrawConfig(few_steps=True)
    assert sampling_of(BASES["mini"], style, DrawConfig()) == Sampling(31, 4.0)
    assert sampling_of(BASES["mini"], style, few) == Sampling(8, 2.5)
    # A distilled base always draws in its own few steps.
    for config in (DrawConfig(), few):
        assert sampling_of(BASES["z-image-turbo"], style, config) == BASES["z-image-turbo"].sampling
    with pytest.raises(ConfigError, match="few-steps-lora"):
        sampling_of(BASES["sdxl"], style, few)
    assert sampling_of(BASES["sdxl"], style, DrawConfig(few_steps_lora="lcm.safetensors")) == Sampling(8, 1.0)


def test_a_lora_of_few_steps_is_laid_on(learned: Library) -> None:
    own = learned.sitter("anna").identities_dir / "mini" / WEIGHTS
    recipe = draw(learned, "anna", DrawRequest(), DrawConfig(few_steps_lora=str(own))).saved[0].recipe
    assert recipe.details["num_steps"] == 8
    assert recipe.details["adapters"]["few-steps"] == 1.0
    assert "LoRA of few steps" in recipe.weights


def test_a_long_prompt_is_said_to_be_cut(learned: Library) -> None:
    long = "portrait of a long sentence that does not end, nor ever comes to its point"
    drawn = draw(learned, "anna", DrawRequest(prompt=long), STEPS)
    cut = next(warning for warning in drawn.warnings if "left out" in warning)
    assert drawn.saved[0].recipe.details["warnings"][: len(drawn.warnings)] == list(drawn.warnings)
    assert "point" in cut
    assert np.isfinite(drawn.saved[0].recipe.timings["draw"])
