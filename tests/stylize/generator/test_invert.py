"""Inversion: the optimisation comes closer, the encoder learns and helps, latents go through a style's generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.stylize.generator.blend import Curve, blend
from portraitist.stylize.generator.config import EncoderConfig, InvertConfig
from portraitist.stylize.generator.encoder import EncoderTrainee, new_encoder, psnr
from portraitist.stylize.generator.invert import invert, restyle
from portraitist.stylize.generator.sample import mean_latent, pictures_of, sample, sample_latents
from portraitist.training.loop import Pace, run
from tests.stylize.generator.small import discs, trained


def test_the_generators_own_pictures_are_found_again() -> None:
    subject = trained()
    photos = sample(subject.generator, 3, psi=1.0)
    found = invert(subject, photos, InvertConfig(steps=80, pull_weight=0.0))
    assert found.latents.shape == (3, subject.size.latents, subject.size.latent)
    assert (found.reached > found.started + 3).all()
    assert all(p.requires_grad for p in subject.generator.parameters()), "the generator is as it was"


def test_the_pull_holds_latents_near_the_guess() -> None:
    subject = trained()
    photos = discs(2).images
    mean = mean_latent(subject.generator)
    free, near = (
        (invert(subject, photos, InvertConfig(steps=25, pull_weight=weight)).latents - mean).norm()
        for weight in (0.0, 100.0)
    )
    assert near < 0.5 * free


def test_an_encoder_learns_and_resumes(tmp_path: Path) -> None:
    subject, config = trained(), EncoderConfig(batch=8)
    torch.manual_seed(0)
    w = sample_latents(subject.generator, 16, seed=9, psi=1.0)
    pictures = subject.generator.synthesis(w).detach()
    before = psnr(subject.generator.synthesis(new_encoder(subject)(pictures)), pictures).mean()
    state = run(EncoderTrainee(subject, discs(), config), tmp_path / "whole", config.loop, Pace(60, 60))
    with state.evaluated() as encoder:
        after = psnr(subject.generator.synthesis(encoder(pictures)), pictures).mean()
        start = invert(
            subject,
            (pictures[:1].permute(0, 2, 3, 1) * 127 + 128).clamp(0, 255).byte().numpy(),
            InvertConfig(steps=0),
            encoder=encoder,
        )
    assert after > before + 0.5
    assert start.started == start.reached
    for steps in (30, 60):
        parts = run(EncoderTrainee(trained(), discs(), config), tmp_path / "parts", config.loop, Pace(steps, 30))
    expected = state.trainee.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in parts.trainee.module.state_dict().items())


def test_restyling_is_the_styles_picture_of_the_same_latents() -> None:
    source, style = trained(0), trained(1)
    latents = sample_latents(source.generator, 2)
    assert (restyle(style, latents) == pictures_of(style.generator, latents)).all()
    none = blend(source, [(style, Curve(strength=0.0))])
    assert (restyle(none, latents) == pictures_of(source.generator, latents)).all()
    assert np.abs(restyle(style, latents).astype(int) - restyle(source, latents)).mean() > 1
