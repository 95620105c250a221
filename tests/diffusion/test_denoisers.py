"""The training contract over every base's real class with tiny random weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.denoisers import Denoiser, Text, denoiser_of
from portraitist.errors import InputError
from tests.diffusion.tiny_bases import CALL, tiny_pipeline

BASES = ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image")


@pytest.fixture(scope="module", params=BASES)
def denoiser(request: pytest.FixtureRequest) -> Denoiser:
    torch.manual_seed(0)
    return denoiser_of(tiny_pipeline(request.param), CALL.get(request.param, {}))


def pixels(count: int = 2, side: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_a_loss_for_every_latent_position(denoiser: Denoiser) -> None:
    with torch.no_grad():
        clean = denoiser.encode_images(pixels())
        text = denoiser.encode_text(["portrait, smiling", "portrait"])
        levels = denoiser.draw_levels(2)
        found = denoiser.loss_map(clean, torch.randn_like(clean), levels, text)
    assert found.shape == (2, *clean.shape[-2:])
    assert torch.isfinite(found).all()
    assert (found >= 0).all()
    assert ((levels > 0) & (levels < 1)).all()


def test_pictures_need_not_be_square(denoiser: Denoiser) -> None:
    """A tall picture and a wide one have maps of their shape, and a corner's change stays in its corner."""
    for h, w in ((96, 64), (64, 128)):
        images = torch.rand(1, 3, h, w, generator=torch.Generator().manual_seed(1)) * 2 - 1
        changed = images.clone()
        changed[..., -16:, -16:] = 1.0
        text, levels = denoiser.encode_text(["portrait"]), torch.tensor([0.3])
        with torch.no_grad():
            clean, other = denoiser.encode_images(images), denoiser.encode_images(changed)
            noise = torch.zeros_like(clean)
            moved = denoiser.loss_map(other, noise, levels, text) - denoiser.loss_map(clean, noise, levels, text)
        assert moved.shape == (1, *clean.shape[-2:])
        assert moved.shape[1] * w == moved.shape[2] * h
        parts = moved[0].abs().unflatten(0, (2, -1)).unflatten(2, (2, -1)).sum(dim=(1, 3))
        assert parts[1, 1] == parts.max()


def test_prompts_encoded_one_by_one_make_the_batch(denoiser: Denoiser) -> None:
    prompts = ["portrait, smiling", "portrait"]
    with torch.no_grad():
        clean = denoiser.encode_images(pixels())
        together = denoiser.encode_text(prompts)
        joined = Text.joined([denoiser.encode_text([prompt]).to("cpu") for prompt in prompts])
        losses = [
            denoiser.loss_map(clean, torch.zeros_like(clean), torch.tensor([0.3, 0.6]), text)
            for text in (together, joined)
        ]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-6)


def test_latents_are_in_full_precision_where_they_are_computed(denoiser: Denoiser) -> None:
    latents = denoiser.encode_images(pixels().double())
    assert latents.dtype == torch.float32
    assert latents.device == denoiser.device


def test_the_loss_of_a_place_is_that_of_its_pixels(denoiser: Denoiser) -> None:
    """A change of the picture in one corner changes the loss there more than elsewhere: maps are not transposed."""
    images = pixels(1)
    changed = images.clone()
    changed[..., :16, 48:] = 1.0
    with torch.no_grad():
        clean, other = denoiser.encode_images(images), denoiser.encode_images(changed)
    noise, levels = torch.zeros_like(clean), torch.tensor([0.3])
    text = denoiser.encode_text(["portrait"])
    with torch.no_grad():
        moved = (denoiser.loss_map(other, noise, levels, text) - denoiser.loss_map(clean, noise, levels, text)).abs()[0]
    half = moved.shape[0] // 2
    assert moved[:half, half:].sum() > moved[half:, :half].sum()


def test_the_gradient_reaches_what_takes_lora(denoiser: Denoiser) -> None:
    clean = denoiser.encode_images(pixels(1)).detach()
    parts = denoiser.trainable
    for part in parts.values():
        part.requires_grad_(True)
    text = denoiser.encode_text(["portrait, smiling"])
    denoiser.loss_map(clean, torch.randn_like(clean), torch.tensor([0.5]), text).mean().backward()
    for name, part in parts.items():
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters()), name
        part.zero_grad()


def test_levels_come_from_the_seed(denoiser: Denoiser) -> None:
    torch.manual_seed(3)
    one = denoiser.draw_levels(8)
    torch.manual_seed(3)
    assert torch.equal(denoiser.draw_levels(8), one)


def test_another_family_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be trained"):
        denoiser_of(object())
