"""What a memory preset switches acts: parts take turns, blocks too, activations are computed twice, texts once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.base_row import Preset
from portraitist.diffusion.bases import BASES
from portraitist.diffusion.denoisers import denoiser_of
from portraitist.identity import memory as memories
from portraitist.identity.memory import MAIN_MEMORY, BlockTurns, Memory
from portraitist.identity.trainee import LoraTrainee
from portraitist.progress import Step
from portraitist.training.config import LoopConfig
from tests.diffusion.tiny_bases import CALL, draw_tiny, tiny_pipeline
from tests.identity.test_train import CONFIG, LORA, photos

CACHED = Preset("cached", cached_text=True)
PARKED = replace(CACHED, name="parked", offload="model")
ROWS = replace(CACHED, name="rows", offload="sequential", gradient_checkpointing=True)


def trainee(base: str, preset: Preset, dtype: Any = torch.float32, **more: Any) -> LoraTrainee:
    pipeline = tiny_pipeline(base).to(dtype)
    return LoraTrainee(
        denoiser_of(pipeline, CALL.get(base, {})),
        photos(64),
        replace(LORA, **more),
        CONFIG,
        base,
        memory=Memory(pipeline, preset),
    )


def gradients(made: LoraTrainee) -> tuple[float, dict[str, Any]]:
    """The loss of one pass and what each adapter gets of it; a preview and a validation before it change nothing."""
    draw_tiny(made.denoiser.pipeline, made.base)
    made.validation_loss(photos(64, count=1))
    made.module.train()
    torch.manual_seed(5)
    loss = made.loss(0)
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach()), {name: p.grad for name, p in made.module.named_parameters() if p.requires_grad}


def assert_same(one: tuple[float, Mapping[str, Any]], other: tuple[float, Mapping[str, Any]]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert one[1].keys() == other[1].keys()
    assert any(gradient.abs().sum() > 0 for gradient in one[1].values())
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], rtol=1e-4, atol=1e-7)


@pytest.fixture
def parked_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one device moving is nothing; here what waits is not a number, so that nothing can be computed with it."""
    kept: dict[Any, Any] = {}
    real_begin = BlockTurns.__init__

    def move(self: Memory, name: str, device: torch.device) -> None:
        blocks = self._blocks.get(name)
        if blocks is not None:
            return blocks.move_rest(device)
        for tensor in (*self.parts[name].parameters(), *self.parts[name].buffers()):
            if id(device) == id(MAIN_MEMORY) and tensor.is_floating_point():
                kept[tensor], tensor.data = tensor.data, torch.full_like(tensor, torch.nan)
            elif tensor in kept:
                tensor.data = kept.pop(tensor)

    def begin(self: BlockTurns, part: Any, device: torch.device) -> None:
        real_begin(self, part, device)
        for p in self.home:
            p.data = self._at_rest(p)

    def at_rest(self: BlockTurns, parameter: Any) -> Any:
        return torch.full_like(parameter, torch.nan) if parameter in self.home else parameter.data

    monkeypatch.setattr(Memory, "_move", move)
    monkeypatch.setattr(BlockTurns, "__init__", begin)
    monkeypatch.setattr(BlockTurns, "_at_rest", at_rest)


@pytest.mark.usefixtures("parked_is_nan")
@pytest.mark.parametrize("base", ["sd15", "flux2-klein-4b", "z-image"])
@pytest.mark.parametrize("preset", [CACHED, PARKED, ROWS], ids=lambda preset: preset.name)
def test_nothing_is_computed_with_what_waits(base: str, preset: Preset) -> None:
    expected = gradients(trainee(base, CACHED))
    made = trainee(base, preset)
    assert_same(gradients(made), expected)
    if preset.offload != "none":
        assert made.memory.at_work == {next(iter(made.denoiser.trainable))}
    if preset is ROWS and base != "sd15":
        part = next(iter(made.denoiser.trainable.values()))
        resting = [p for p in part.parameters() if p.isnan().any()]
        assert resting, "only one block is on the device"


def test_encoders_wait_while_the_network_learns() -> None:
    made = trainee("sdxl", replace(CACHED, offload="none"))
    made.loss(0)
    assert made.memory.at_work == {"unet"}
    draw_tiny(made.denoiser.pipeline, "sdxl")
    assert made.memory.at_work == {"unet", "vae"}
    made.loss(0)
    assert made.memory.at_work == {"unet"}
    # With no text cached, what learns stays.
    learning = trainee("sd15", Preset("whole"))
    learning.loss(0)
    assert learning.memory.at_work == {"unet", "text_encoder"}


def test_cached_texts_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainee("sd15", CACHED)
    assert not made.learns_text
    assert not [name for name, p in made.module.named_parameters() if "text" in name]
    asked: list[str] = []
    real = made.denoiser.encode_text
    monkeypatch.setattr(made.denoiser, "encode_text", lambda prompts: asked.extend(prompts) or real(prompts))
    for step in range(40):
        made.loss(step)
    assert asked == []
    made.validation_loss(photos(64, count=3))
    assert asked == []
    encoded = made._known_text(["portrait, sitter, smiling"])
    torch.testing.assert_close(encoded.embeds, real(["portrait, sitter, smiling"]).embeds)


@pytest.mark.parametrize("base", list(BASES))
def test_checkpointed_activations_are_computed_twice(base: str) -> None:
    """In train mode, in every part that learns; the gradient is the same."""
    plain, twice = Preset("plain"), Preset("twice", gradient_checkpointing=True)
    calls = {preset.name: _calls(trainee(base, preset)) for preset in (plain, twice)}
    for part, count in calls["plain"].items():
        assert calls["twice"][part] == 2 * count > 0, part
    assert_same(gradients(trainee(base, twice)), gradients(trainee(base, plain)))


def _calls(made: LoraTrainee) -> dict[str, int]:
    """How often an adapted layer of each learning part computes in one pass there and back."""
    counts: dict[str, int] = {}

    def count(part: str) -> Any:
        return lambda *_: counts.update({part: counts.get(part, 0) + 1})

    for part, module in made.module.named_children():
        # Of one in the middle: the last recomputation stops early.
        layer = next(m for name, m in module.named_modules() if name.endswith(("to_q", "q_proj")))
        layer.register_forward_pre_hook(count(part))
    gradients_only(made)
    return counts


def gradients_only(made: LoraTrainee) -> None:
    made.module.train()
    made.loss(0).backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("base", list(BASES))
def test_a_base_in_half_precision_learns_in_full(base: str) -> None:
    made = trainee(base, Preset("half", precision="bfloat16"), torch.bfloat16)
    assert made.settings["precision"] == "torch.bfloat16"
    loss, found = gradients(made)
    assert loss > 0
    assert all(torch.isfinite(gradient).all() for gradient in found.values())
    assert all(p.dtype == torch.float32 for p in made.module.parameters() if p.requires_grad)
    whole, _ = gradients(trainee(base, Preset("whole")))
    assert loss == pytest.approx(whole, rel=0.1)


def test_where_parts_wait_is_no_part_of_the_run() -> None:
    kept, parked = trainee("sd15", CACHED), trainee("sd15", replace(PARKED, gradient_checkpointing=True))
    assert kept.settings == parked.settings
    assert kept.settings != trainee("sd15", Preset("learns text")).settings
    assert "preset" not in kept.settings


def test_without_its_package_the_usual_optimiser_is_taken_and_said() -> None:
    told: list[Step] = []
    small = Memory(tiny_pipeline("sd15"), BASES["sd15"].preset("8gb"), "cpu", told.append)
    assert small.has_eight_bits is small.has_eight_bits is False
    assert [step.message for step in told] == [
        "preset 8gb: the 8-bit optimiser needs the package bitsandbytes and a CUDA device; the usual 32 bits are used"
    ]


def test_the_8_bit_optimiser_is_taken_where_it_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(memories, "adamw_8bit", lambda groups, config: "8 bits")
    group = [{"params": [torch.nn.Parameter(torch.zeros(2))]}]

    def built(preset: str, device: str) -> Any:
        return Memory(tiny_pipeline("sd15"), BASES["sd15"].preset(preset), device).build_optimizer(group, LoopConfig())

    assert built("8gb", "cuda") == "8 bits"
    assert type(built("12gb", "cuda")) is type(built("8gb", "cpu")) is torch.optim.AdamW


def test_what_learns_is_on_the_device_when_the_optimiser_is_made() -> None:
    made = trainee("sd15", PARKED)
    draw_tiny(made.denoiser.pipeline, "sd15")
    assert made.memory.at_work == {"vae"}
    made.memory.build_optimizer([{"params": [torch.nn.Parameter(torch.zeros(2))]}], LoopConfig())
    assert made.memory.at_work == {"unet"}
