"""The patch autoencoder: exact with every component, orthonormal, scaled as it says, the same after saving."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.patch_autoencoder import DEVIATION, PatchAutoencoder


def smooth_images(count: int = 24, side: int = 32) -> torch.Tensor:
    """Blurred noise: like photos, most of its power is coarse."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, side // 8 + 2, side // 8 + 2, generator=generator)
    fine = torch.randn(count, 3, side, side, generator=generator)
    up = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    return (0.5 * up + 0.02 * fine).clamp(-1, 1)


def test_all_components_lose_nothing() -> None:
    images = smooth_images()
    model = PatchAutoencoder.fit(images, latent_channels=192)
    torch.testing.assert_close(model(images).sample, images, atol=2e-4, rtol=0)


def test_fewer_components_lose_little_and_less_with_more() -> None:
    images = smooth_images()
    errors = [
        float((PatchAutoencoder.fit(images, latent_channels=n)(images).sample - images).square().mean())
        for n in (8, 32, 96)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 1e-3


def test_the_basis_is_orthonormal_and_latents_have_their_deviation() -> None:
    images = smooth_images()
    model = PatchAutoencoder.fit(images, latent_channels=32)
    torch.testing.assert_close(model.basis @ model.basis.T, torch.eye(32), atol=1e-4, rtol=0)
    latents = model.encode(images).latent_dist.mode()
    assert latents.shape == (24, 32, 4, 4)
    assert float(latents.var(dim=(0, 2, 3), unbiased=False).mean().sqrt()) == pytest.approx(DEVIATION, rel=1e-3)


def test_encoding_draws_nothing() -> None:
    model = PatchAutoencoder.fit(smooth_images(), latent_channels=16)
    distribution = model.encode(smooth_images(2)).latent_dist
    assert torch.equal(distribution.sample(), distribution.mode())


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    images = smooth_images()
    model = PatchAutoencoder.fit(images, latent_channels=16)
    model.save_pretrained(tmp_path)
    again = PatchAutoencoder.from_pretrained(tmp_path)
    assert torch.equal(again(images).sample, model(images).sample)


def test_fitting_twice_gives_the_same_basis() -> None:
    one, other = (PatchAutoencoder.fit(smooth_images(), latent_channels=16) for _ in range(2))
    assert torch.equal(one.basis, other.basis)
