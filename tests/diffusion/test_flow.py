"""Rectified flow: with a network that knows the answer, the scheduler arrives at it; the loss is the velocity's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.flow import LEAST_SIGMA, add_noise, draw_sigmas, flow_scheduler, velocity_loss


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_an_oracle_is_sampled_exactly(steps: int) -> None:
    clean, scheduler = torch.randn(2, 4, 4, 4), flow_scheduler()
    latents = torch.randn(2, 4, 4, 4)
    scheduler.set_timesteps(steps)
    for timestep in scheduler.timesteps:
        latents = scheduler.step(clean, timestep, latents).prev_sample
    torch.testing.assert_close(latents, clean, atol=1e-5, rtol=0)


def test_the_scheduler_adds_the_noise_that_training_added() -> None:
    clean, noise, scheduler = torch.randn(3, 4, 4, 4), torch.randn(3, 4, 4, 4), flow_scheduler()
    scheduler.set_timesteps(20)
    for place in (0, 7, 19):
        timestep = scheduler.timesteps[place : place + 1].repeat(3)
        expected = add_noise(clean, noise, scheduler.sigmas[place].repeat(3))
        torch.testing.assert_close(scheduler.add_noise(clean, noise, timestep), expected)
        # The network is told 1000 sigma, in training and in sampling.
        assert float(timestep[0]) == pytest.approx(1000 * float(scheduler.sigmas[place]), abs=1)


def test_the_loss_is_that_of_the_velocity() -> None:
    clean, noise, predicted = torch.randn(3, 5, 4, 4), torch.randn(5, 4, 4).repeat(3, 1, 1, 1), torch.randn(3, 5, 4, 4)
    sigmas = torch.tensor([0.3, 0.6, 0.9])
    noisy, level = add_noise(clean, noise, sigmas), sigmas.view(-1, 1, 1, 1)
    velocity = ((noisy - predicted) / level - (noise - clean)).square().mean((1, 2, 3))
    torch.testing.assert_close(velocity_loss(predicted, clean, sigmas), velocity)
    faint = torch.tensor([LEAST_SIGMA / 10] * 3)
    assert torch.isfinite(velocity_loss(predicted, clean, faint)).all()


def test_noise_levels_are_logit_normal() -> None:
    torch.manual_seed(0)
    logits = torch.logit(draw_sigmas(20_000, mean=0.4, spread=1.2).double())
    assert float(logits.mean()) == pytest.approx(0.4, abs=0.03)
    assert float(logits.std()) == pytest.approx(1.2, abs=0.03)
