"""The lean ControlNet: fits its base, changes nothing before training, steers once its last layers do."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from recipes.mini.config import SHIPPED, TINY
from recipes.mini.controls import build_control, steered
from recipes.mini.networks import TextToLatents, build_unet


def inputs(channels: int = TINY.latent_channels) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, channels, 4, 4, generator=generator), torch.tensor([0.2, 0.9]), torch.rand(2, 3, 32, 32)


def test_before_training_it_changes_nothing() -> None:
    networks = TextToLatents(TINY, build_tokenizer(TINY.text.max_tokens)).eval()
    noisy, sigmas, condition = inputs()
    tokens = torch.zeros(2, TINY.text.max_tokens, dtype=torch.long)
    plain = networks(noisy, sigmas, tokens)
    assert torch.equal(steered(networks, build_control(TINY), noisy, sigmas, tokens, condition), plain)


def test_the_first_step_reaches_the_condition() -> None:
    """Its outputs begin at zero; the lines must still get a gradient as soon as those have moved."""
    control = build_control(TINY)
    noisy, sigmas, condition = inputs()
    for conv in [*control.widen, control.widen_middle]:
        torch.nn.init.normal_(conv.weight)
    down, middle = control(noisy, sigmas * 1000, None, condition, return_dict=False)
    (sum(d.square().sum() for d in down) + middle.square().sum()).backward()
    assert float(control.condition[1].weight.grad.abs().sum()) > 0


def test_thin_lines_are_felt_from_the_first_step() -> None:
    """What the condition adds varies over the picture about as much as what the latents add."""
    control = build_control(SHIPPED)
    lines = torch.zeros(1, 3, 128, 128)
    lines[:, :, 40:90:10, 30:100] = 1.0
    with torch.no_grad():
        condition, latents = control.condition(lines), control.conv_in(torch.randn(1, 64, 16, 16))
    assert condition.std(dim=(2, 3)).mean() > 0.2 * latents.std(dim=(2, 3)).mean()


def test_the_condition_matters_once_trained() -> None:
    control = build_control(TINY)
    noisy, sigmas, condition = inputs()
    for conv in control.widen:
        torch.nn.init.normal_(conv.weight)
    one, _ = control(noisy, sigmas * 1000, None, condition, return_dict=False)
    other, _ = control(noisy, sigmas * 1000, None, 1 - condition, return_dict=False)
    assert not torch.allclose(one[0], other[0])


def test_scale_and_guess_mode_weigh_the_residuals() -> None:
    control = build_control(TINY)
    noisy, _, condition = inputs()
    for conv in [*control.widen, control.widen_middle]:
        torch.nn.init.ones_(conv.weight)
    plain = control(noisy, 500, None, condition)
    half = control(noisy, 500, None, condition, conditioning_scale=0.5)
    guess = control(noisy, 500, None, condition, guess_mode=True)
    torch.testing.assert_close(half.mid_block_res_sample, plain.mid_block_res_sample / 2)
    torch.testing.assert_close(guess.mid_block_res_sample, plain.mid_block_res_sample)
    torch.testing.assert_close(guess.down_block_res_samples[0], plain.down_block_res_samples[0] / 10)


def test_the_shipped_size_fits_its_base_and_is_small() -> None:
    control, unet = build_control(SHIPPED), build_unet(SHIPPED)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (control, unet)]
    assert sizes[0] < sizes[1] / 11
    noisy = torch.randn(1, 64, 16, 16)
    down, middle = control(noisy, 500, None, torch.rand(1, 3, 128, 128), return_dict=False)
    text = torch.zeros(1, 48, SHIPPED.text.width)
    unet(noisy, 500, text, down_block_additional_residuals=down, mid_block_additional_residual=middle)


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    control = build_control(TINY)
    control.save_pretrained(tmp_path)
    again = LeanControlNet.from_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(control.parameters(), again.parameters(), strict=True))
    assert not [name for name, _ in again.named_buffers()]
