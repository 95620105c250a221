"""Masked painting: outside the mask every pixel stays, inside it changes, thin masks are not lost."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from diffusers import StableDiffusionImg2ImgPipeline

from portraitist.diffusion.masking import latent_mask, paint_inside
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from recipes.mini.config import TINY
from recipes.mini.export import build_pipeline
from recipes.mini.networks import TextToLatents


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionImg2ImgPipeline:
    torch.manual_seed(0)
    images = torch.rand(8, 3, 32, 32) * 2 - 1
    autoencoder = PatchAutoencoder.fit(images, latent_channels=TINY.latent_channels)
    text = build_pipeline(TINY, TextToLatents(TINY, build_tokenizer(TINY.text.max_tokens)).eval(), autoencoder)
    made = StableDiffusionImg2ImgPipeline(**text.components, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_only_the_mask_is_painted(pipeline: StableDiffusionImg2ImgPipeline, strength: float) -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    mask = np.zeros((32, 32), np.float32)
    mask[9:20, 5:17] = 1
    painted = paint_inside(pipeline, "portrait", image, mask, strength=strength, num_inference_steps=5)
    np.testing.assert_array_equal(painted[mask == 0], image[mask == 0])
    assert np.abs(painted[mask == 1].astype(int) - image[mask == 1]).mean() > 5


def test_latents_outside_are_the_original_s(pipeline: StableDiffusionImg2ImgPipeline) -> None:
    """Without the pixels put back: what lies outside is the autoencoder's round trip, untouched by the sampler."""
    image = (np.linspace(0, 255, 32)[:, None, None] * np.ones((1, 32, 3))).astype(np.uint8)
    mask = np.zeros((32, 32), np.float32)
    mask[:, 16:] = 1
    whole = np.ones_like(mask)
    kept = paint_inside(pipeline, "portrait", image, mask, strength=1.0, num_inference_steps=5)
    free = paint_inside(pipeline, "portrait", image, whole, strength=1.0, num_inference_steps=5)
    assert np.abs(free[:, :16].astype(int) - image[:, :16]).mean() > 5
    np.testing.assert_array_equal(kept[:, :16], image[:, :16])


def test_the_same_seed_paints_the_same(pipeline: StableDiffusionImg2ImgPipeline) -> None:
    image, mask = np.full((32, 32, 3), 90, np.uint8), np.ones((32, 32), np.float32)
    one, other, third = (
        paint_inside(pipeline, "portrait", image, mask, seed=s, strength=1.0, num_inference_steps=3) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()


def test_a_thin_mask_reaches_the_latents() -> None:
    mask = np.zeros((32, 32), np.float32)
    mask[:, 13] = 1
    shrunk = latent_mask(mask, 8)
    assert shrunk.shape == (1, 1, 4, 4)
    assert shrunk[0, 0].sum(0).tolist() == [0, 4, 0, 0]
