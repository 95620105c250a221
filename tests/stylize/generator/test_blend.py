"""Blends: each level takes its share, a hard swap and a smooth one, several at once, averages of whole generators."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.errors import ConfigError, InputError
from portraitist.stylize.generator.blend import Curve, blend, family, level_weights
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.presets import TINY
from tests.stylize.generator.small import trained

SIZE = TINY.size


def test_a_hard_swap_takes_whole_levels() -> None:
    source, style = trained(0), trained(1)
    blended = blend(source, [(style, Curve(swap_side=8))]).generator.state_dict()
    own, other = source.generator.state_dict(), style.generator.state_dict()
    for name, value in blended.items():
        is_fine = name.startswith(("synthesis.levels.1.", "synthesis.levels.2."))
        assert torch.equal(value, other[name] if is_fine else own[name]), name


def test_strength_goes_from_the_source_to_the_style() -> None:
    source, style = trained(0), trained(1)
    w = torch.randn(4, SIZE.latents, SIZE.latent)
    pictures = [
        blend(source, [(style, Curve(1, strength=s))]).generator.synthesis(w) for s in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    torch.testing.assert_close(pictures[0], source.generator.synthesis(w))
    torch.testing.assert_close(pictures[-1], style.generator.synthesis(w))
    distances = [float((p - pictures[0]).detach().square().mean()) for p in pictures]
    assert distances == sorted(distances)


def test_a_smooth_curve_rises_and_a_coarse_one_falls() -> None:
    sides = GeneratorSize(side=256).sides
    smooth = [Curve(32, softness=2)(side) for side in sides]
    assert smooth == sorted(smooth)
    assert 0.05 < smooth[2] < 0.5 < smooth[3] < 0.95
    assert Curve(32, softness=1e-3)(16) == pytest.approx(0)
    assert [Curve(32, coarse=True)(side) for side in sides] == [1, 1, 1, 0, 0, 0, 0]
    with pytest.raises(ConfigError, match="strength"):
        Curve(strength=1.5)


def test_several_styles_share_a_level() -> None:
    source, one, two = trained(0), trained(1), trained(2)
    curves = [Curve(8), Curve(16)]
    assert level_weights("synthesis.levels.1.rgb_bias", SIZE, curves) == [1, 0]
    assert level_weights("synthesis.levels.2.rgb_bias", SIZE, curves) == [0.5, 0.5]
    assert level_weights("mapping.layers.0.weight", SIZE, curves) == [0, 0]
    blended = blend(source, list(zip((one, two), curves, strict=True)))
    name = "synthesis.levels.2.second.conv.weight"
    expected = (one.generator.state_dict()[name] + two.generator.state_dict()[name]) / 2
    torch.testing.assert_close(blended.generator.state_dict()[name], expected)
    assert blended.discriminator is None
    assert "blended" in blended.origin.steps[-1]


def test_a_family_is_an_average() -> None:
    members = {"a": trained(0), "b": trained(1)}
    half = family(members, {"a": 0.5, "b": 0.5}).generator.state_dict()
    first, second = (m.generator.state_dict() for m in members.values())
    for name, value in half.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)
    with pytest.raises(ConfigError, match="summing to 1"):
        family(members, {"a": 0.5, "b": 0.4})


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="of one size"):
        blend(trained(0), [(trained(1, replace(SIZE, side=32)), Curve())])
