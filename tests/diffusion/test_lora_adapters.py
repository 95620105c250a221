"""LoRAs on pipelines: out as trained, on beside each other, off without a trace, and never on a wrong base."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")
peft = pytest.importorskip("peft", reason="needs portraitist[diffusion]")

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import check, install, remove, set_weights, take, weights
from portraitist.diffusion.lora_fusion import concatenate
from portraitist.errors import ConfigError, InputError
from tests.diffusion.lora_samples import BASES, assert_same, outputs, random_lora
from tests.diffusion.tiny_bases import tiny_pipeline


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mini() -> Any:
    return tiny_pipeline("mini")


def train(network: Any, **config: Any) -> None:
    """An adapter `default` whose B is no longer zero, as after some steps."""
    torch.manual_seed(1)
    network.add_adapter(peft.LoraConfig(init_lora_weights=False, **config))


def test_it_goes_on_and_comes_back_the_same_on_every_base(base: str) -> None:
    pipeline = tiny_pipeline(base)
    before, lora = outputs(pipeline), random_lora(pipeline, base, uneven=True)
    install(pipeline, lora, "id", 0.7)
    assert (outputs(pipeline) - before).abs().max() > 1e-3
    assert_same(take(pipeline, "id"), lora)
    assert weights(pipeline) == {"id": pytest.approx(0.7)}
    remove(pipeline, "id")
    assert torch.equal(outputs(pipeline), before)


def test_it_adds_its_delta_to_the_weights(base: str) -> None:
    """The same as adding weight * B A to a copy of the base by hand."""
    pipeline, by_hand = tiny_pipeline(base), tiny_pipeline(base)
    lora = random_lora(pipeline, base)
    install(pipeline, lora, "id", 0.5)
    for path in lora.modules:
        component, _, inner = path.partition(".")
        network = getattr(by_hand, component)
        inner = f"text_model.{inner}" if hasattr(network, "text_model") else inner
        network.get_submodule(inner).weight.data += 0.5 * lora.delta(path)
    torch.testing.assert_close(outputs(pipeline), outputs(by_hand), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("rslora", [False, True])
def test_training_s_adapter_is_taken_with_its_alpha(mini: Any, rslora: bool) -> None:
    before = outputs(mini)
    attention = {"target_modules": ["to_q", "to_v"], "use_rslora": rslora}
    train(mini.unet, r=4, lora_alpha=2, **attention)
    train(mini.text_encoder, r=3, lora_alpha=8, target_modules=["q_proj"], use_rslora=rslora)
    trained = outputs(mini)
    lora = take({"unet": mini.unet, "text_encoder": mini.text_encoder}, "default")
    assert_same(take(mini, "default"), lora)
    remove(mini, "default")
    assert torch.equal(outputs(mini), before)
    install(mini, lora, "default")
    torch.testing.assert_close(outputs(mini), trained, atol=1e-5, rtol=0)


def test_what_was_taken_is_a_copy(mini: Any) -> None:
    lora = random_lora(mini, "mini")
    install(mini, lora, "id")
    taken = take(mini, "id")
    for name, parameter in mini.unet.named_parameters():
        if "lora_" in name:
            parameter.data += 1
    assert_same(taken, lora)


def test_several_at_once_are_their_weighted_sum(mini: Any) -> None:
    """Of different modules, components and ranks; each can be turned, turned off and taken away alone."""
    before = outputs(mini)
    sitter = random_lora(mini, "mini", seed=1, uneven=True)
    attention = random_lora(mini, "mini", seed=2, rank=5).modules.items()
    style = Lora({path: factors for path, factors in attention if "unet" in path and "attn" in path})
    install(mini, sitter, "sitter", 0.8)
    alone = outputs(mini)
    install(mini, style, "style", 0.35)
    both = outputs(mini)
    assert weights(mini) == {"sitter": pytest.approx(0.8), "style": pytest.approx(0.35)}
    set_weights(mini, {"sitter": 0.8})
    assert torch.equal(outputs(mini), alone)
    set_weights(mini, {})
    assert weights(mini) == {}
    assert torch.equal(outputs(mini), before)
    set_weights(mini, {"sitter": 0.8, "style": 0.35})
    assert torch.equal(outputs(mini), both)
    remove(mini, "style")
    assert torch.equal(outputs(mini), alone)
    remove(mini, "sitter")
    install(mini, concatenate([sitter, style], [0.8, 0.35]), "sum")
    torch.testing.assert_close(outputs(mini), both, atol=1e-5, rtol=0)


def test_the_base_s_own_weights_are_never_touched(mini: Any) -> None:
    before = {name: weight.clone() for name, weight in mini.unet.state_dict().items()}
    install(mini, random_lora(mini, "mini"), "id")
    outputs(mini)
    state = mini.unet.state_dict()
    for name, weight in before.items():
        module, _, kind = name.rpartition(".")
        assert torch.equal(state.get(name, state.get(f"{module}.base_layer.{kind}")), weight), name


def test_a_convolution_written_as_a_matrix_fits(mini: Any) -> None:
    lora = random_lora(mini, "mini")
    flat = Lora(
        {
            path: tuple(f.flatten(1) for f in factors) if factors[0].shape[2:] == (1, 1) else factors  # type: ignore[misc]
            for path, factors in lora.modules.items()
        }
    )
    assert any(factors[0].ndim != lora.modules[path][0].ndim for path, factors in flat.modules.items())
    install(mini, flat, "id")
    assert_same(take(mini, "id"), lora)


def test_it_takes_the_base_s_precision(mini: Any) -> None:
    lora = random_lora(mini, "mini")
    mini.unet.to(torch.bfloat16)
    install(mini, lora, "id")
    assert {parameter.dtype for parameter in mini.unet.parameters()} == {torch.bfloat16}
    assert take(mini, "id").modules[next(iter(lora.modules))][0].dtype == torch.float32


def test_installing_says_nothing(mini: Any, capfd: pytest.CaptureFixture[str]) -> None:
    lora = random_lora(mini, "mini")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install(mini, lora, "id")
        install(mini, lora, "style")
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize(
    ("base", "other", "message"),
    [
        ("mini", "sdxl", r"is for SDXL \(it has modules of a second text encoder\), the base is a Stable Diffusion"),
        ("sdxl", "mini", r"is for a Stable Diffusion with text of width 16 \(.*\), the base is SDXL \(.*: \d+ of"),
        ("z-image", "flux2-klein-4b", r"is for FLUX.2 \(.*\), the base is Z-Image \(.*\): 0 of its \d+ modules fit"),
        ("flux2-klein-4b", "z-image", r"is for Z-Image \(.*\), the base is FLUX.2"),
        ("sd15", "mini", r"text of width 16 \(.*\), the base is a Stable Diffusion with text of width 32"),
    ],
)
def test_a_lora_of_another_family_is_named(base: str, other: str, message: str) -> None:
    pipeline = tiny_pipeline(base)
    with pytest.raises(InputError, match=message):
        install(pipeline, random_lora(tiny_pipeline(other), other), "id")
    assert weights(pipeline) == {}


def test_real_sizes_name_real_families(mini: Any) -> None:
    def text_lora(width: int) -> Lora:
        path = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
        return Lora({path: (torch.ones(1, width), torch.ones(16, 1))})

    for width, family in ((192, "portrait-mini"), (768, "SD 1.5"), (1024, "SD 2"), (2048, "SDXL")):
        with pytest.raises(InputError, match=rf"is for {family} \(text of width {width}\)"):
            check(mini, text_lora(width))


def test_a_shape_and_a_place_that_do_not_fit_are_named(mini: Any) -> None:
    path = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    with pytest.raises(InputError, match=rf"{path} is \(16, 16\) in the base and \(16, 8\) in the LoRA"):
        check(mini, Lora({path: (torch.ones(2, 8), torch.ones(16, 2))}))
    for absent in ("unet.down_blocks.9.conv", "transformer.x_embedder", "unet."):
        with pytest.raises(InputError, match="0 of its 1 modules fit"):
            check(mini, Lora({absent: (torch.ones(2, 8), torch.ones(16, 2))}))


def test_names_and_weights_are_checked(mini: Any) -> None:
    lora = random_lora(mini, "mini")
    install(mini, lora, "id")
    for name in ("id", "", "a.b"):
        with pytest.raises(ConfigError, match="new name"):
            install(mini, lora, name)
    for call in (lambda: set_weights(mini, {"other": 1.0}), lambda: remove(mini, "other")):
        with pytest.raises(ConfigError, match="expected one of id, found none of that name"):
            call()
    with pytest.raises(ConfigError, match="finite"):
        set_weights(mini, {"id": float("nan")})
    with pytest.raises(InputError, match="expected one of id, found no module"):
        take(mini, "other")
    with pytest.raises(InputError, match="takes LoRA, found a object"):
        take(object(), "id")


def test_a_dora_is_not_taken_for_a_lora(mini: Any) -> None:
    train(mini.unet, r=2, target_modules=["to_q"], use_dora=True)
    with pytest.raises(InputError, match="DoRA"):
        take(mini, "default")
