"""Students cost what their tier says, learn a rule from pairs, go on after a stop, and begin without a grid."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn
from torch.nn import functional

from portraitist.errors import ConfigError, InputError
from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.edges import gradient, soften_edges
from portraitist.stylize.grid import border_ratio
from portraitist.stylize.student.config import CAPS, TIERS, StudentConfig, StudentSize
from portraitist.stylize.student.cost import count_multiply_adds
from portraitist.stylize.student.critic import PatchCritic
from portraitist.stylize.student.examples import draw_crops, draw_examples
from portraitist.stylize.student.losses import (
    critic_loss,
    gradient_loss,
    lattice_loss,
    perceptual_loss,
    persuasion_loss,
    pixel_loss,
)
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.trainee import StudentTrainee, trained_student
from portraitist.stylize.student.training import train_student
from portraitist.training.loop import Pace, run
from tests.stylize.drawn_pairs import drawn_pairs, photo

PIXELS_ONLY = StudentConfig(
    tier="tiny",
    steps=30,
    batch=2,
    side=64,
    gradient=0,
    lattice=0,
    perceptual=0,
    adversarial=0,
    edges=0,
    augment=False,
    learning_rate=5e-3,
)


def test_multiply_adds_are_counted() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=8))
    assert count_multiply_adds(layers, 16) == 8 * 8 * 8 * 27 + 8 * 8 * 8 * 9


@pytest.mark.parametrize("tier", CAPS)
@pytest.mark.parametrize("has_mask", [False, True])
def test_a_tier_costs_what_it_may(tier: str, has_mask: bool) -> None:
    network = StudentNetwork(StudentConfig(tier=tier, has_mask=has_mask).size)
    # A quarter of the side costs a sixteenth: nothing in the network depends on the picture as a whole.
    assert 0.8 * CAPS[tier] < 16 * count_multiply_adds(network, 128) <= CAPS[tier]


def test_any_sides_of_the_multiple() -> None:
    network = StudentNetwork(replace(TIERS["tiny"], has_mask=True))
    painted, mask = network(torch.rand(1, 3, 64, 96))
    assert painted.shape == (1, 3, 64, 96)
    assert mask.shape == (1, 1, 64, 96)
    assert float(painted.detach().min()) >= 0
    assert float(painted.detach().max()) <= 1


def test_a_fresh_student_has_no_grid() -> None:
    torch.manual_seed(0)
    network = StudentNetwork(TIERS["small"])
    with torch.no_grad():
        network.paint.weight.mul_(5)
        painted = network(torch.from_numpy(photo(1, 256).transpose(2, 0, 1)[None] / np.float32(255)))[0]
    assert float(painted.std()) > 0.01
    assert border_ratio(painted.permute(1, 2, 0).numpy(), 8) < 1.1
    assert border_ratio(painted.permute(1, 2, 0).numpy(), 4) < 1.1


def test_the_grid_is_seen() -> None:
    smooth = photo(2, 128).astype(np.float32)
    assert 0.9 < border_ratio(smooth, 8) < 1.1
    tiles = np.kron(np.random.default_rng(0).uniform(0, 30, (16, 16)), np.ones((8, 8)))[..., None]
    assert border_ratio(smooth + tiles, 8) > 1.5


def test_it_learns_a_rule_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path / "pairs")
    whole = run(StudentTrainee(pairs, PIXELS_ONLY), tmp_path / "whole", PIXELS_ONLY.loop, Pace(30, 30))
    assert np.mean(whole.losses[-5:]) < 0.7 * np.mean(whole.losses[:5])
    for steps in (10, 30):
        parted = run(StudentTrainee(pairs, PIXELS_ONLY), tmp_path / "parted", PIXELS_ONLY.loop, Pace(steps, 10))
    one, other = (dict(state.trainee.module.named_parameters()) for state in (whole, parted))
    assert all(torch.equal(one[name], other[name]) for name in one)
    student = trained_student(tmp_path / "parted", PIXELS_ONLY)
    average: Any = whole.average
    assert torch.equal(student.paint.weight, average["student"].paint.weight)


def test_the_lattice_of_the_fold_is_told() -> None:
    torch.manual_seed(0)
    noise = torch.rand(1, 3, 64, 64)
    blocks = functional.interpolate(torch.rand(1, 3, 16, 16), scale_factor=4, mode="nearest") + 0.05 * noise
    assert float(lattice_loss(noise)) < 0.1
    assert float(lattice_loss(blocks.requires_grad_())) > 3
    lattice_loss(blocks).backward()
    assert blocks.grad is not None
    assert bool(blocks.grad.abs().sum() > 0)


def test_one_begins_with_another_of_its_tier(tmp_path: Path) -> None:
    pairs, config = drawn_pairs(tmp_path / "pairs"), replace(PIXELS_ONLY, steps=1)
    first = train_student(pairs, tmp_path / "first", config)
    gentle = replace(config, learning_rate=1e-8)
    second = train_student(pairs, tmp_path / "second", gentle, begin=tmp_path / "first")
    fresh = train_student(pairs, tmp_path / "fresh", replace(gentle, seed=7))
    one, same, other = (torch.cat([w.flatten() for w in each.parameters()]) for each in (first, second, fresh))
    assert torch.allclose(same, one, atol=1e-6)
    assert not torch.allclose(other, one, atol=1e-2)
    with pytest.raises(InputError, match="tier nano"):
        train_student(pairs, tmp_path / "third", replace(config, tier="nano"), begin=tmp_path / "first")


def test_steps_are_told_after_a_while_but_at_once_to_one_that_can_paint(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path / "pairs")
    plain, told = (StudentTrainee(pairs, replace(PIXELS_ONLY, gradient=weight, ease=2)) for weight in (0.0, 1.0))
    apart = [float(told.loss(step).detach() - plain.loss(step).detach()) for step in (0, 2, 3, 4)]
    assert apart[:2] == [0, 0]
    assert 0 < apart[2] < apart[3]
    train_student(pairs, tmp_path / "first", replace(PIXELS_ONLY, steps=1))
    eager = replace(PIXELS_ONLY, steps=1, gradient=100.0)
    losses = []
    for name, begin in (("fresh", None), ("going-on", tmp_path / "first")):
        train_student(pairs, tmp_path / name, eager, begin=begin)
        losses.append(json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1])["loss"])
    assert losses[1] > 2 * losses[0]


def test_every_loss_reaches_the_network_it_is_for(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path, masks=True)
    config = replace(PIXELS_ONLY, has_mask=True, perceptual=1.0, adversarial=0.1, edges=0.5, augment=True)
    trainee = StudentTrainee(pairs, config, features=lambda pictures: [pictures])
    trainee.loss(0).backward()
    assert all(parameter.grad is not None for parameter in trainee.module.parameters())


def test_a_lattice_costs_more_in_steps_than_in_pixels() -> None:
    target = torch.full((1, 3, 32, 32), 0.5)
    lattice, darker = target.clone(), target - 0.01
    lattice[..., ::4, :] += 0.04
    assert float(pixel_loss(lattice, target)) == pytest.approx(float(pixel_loss(darker, target)), rel=1e-3)
    assert float(gradient_loss(lattice, target)) > 0.01
    assert float(gradient_loss(darker, target)) == pytest.approx(0, abs=1e-6)


def test_half_precision_learns_nearly_the_same(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path)
    config = replace(PIXELS_ONLY, perceptual=1.0, adversarial=0.1, edges=0.5)
    gradients = []
    for precision in ("float32", "bfloat16"):
        trainee = StudentTrainee(pairs, replace(config, precision=precision), features=lambda pictures: [pictures])
        trainee.loss(0).backward()
        gradients.append(torch.cat([weight.grad.flatten() for weight in trainee.module.parameters()]))
    assert all(gradient.dtype == torch.float32 for gradient in gradients)
    assert not torch.equal(*gradients)
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.99


def test_the_critic_may_be_shown_drawings_instead(tmp_path: Path) -> None:
    pairs, images = drawn_pairs(tmp_path), np.stack([photo(50, 80), photo(51, 80)])
    drawings = Domain("drawings", images, ("a", "b"), DomainNote("drawings", "CC0-1.0"))
    config = replace(PIXELS_ONLY, adversarial=0.1)
    plain, shown = StudentTrainee(pairs, config), StudentTrainee(pairs, config, drawings=drawings)
    shown.module.load_state_dict(plain.module.state_dict())
    assert float(plain.loss(0).detach()) != float(shown.loss(0).detach())
    assert plain.settings != shown.settings
    crops = draw_crops(drawings, 2, 64, np.random.default_rng(0), augment=False)
    assert crops.shape == (2, 3, 64, 64)
    whole = draw_crops(drawings, 1, 80, np.random.default_rng(0), augment=False)[0].permute(1, 2, 0) * 255
    assert min(np.abs(whole.numpy() - image).max() for image in images) < 0.01


def test_persuasion_teaches_the_student_and_the_critics_loss_the_critic() -> None:
    torch.manual_seed(0)
    critic, picture = PatchCritic(), torch.rand(1, 3, 64, 64, requires_grad=True)
    persuasion_loss(critic, picture).backward()
    assert picture.grad is not None
    assert all(parameter.grad is None for parameter in critic.parameters())
    picture.grad = None
    critic_loss(critic, picture, torch.rand(1, 3, 64, 64), edges=1.0).backward()
    assert picture.grad is None
    assert all(parameter.grad is not None for parameter in critic.parameters())


def test_soft_edges_are_soft_and_the_rest_is_untouched() -> None:
    picture = torch.zeros(1, 3, 32, 32)
    picture[..., 16:] = 1
    softened = soften_edges(picture)
    assert float(gradient(softened).max()) < 0.8 * float(gradient(picture).max())
    assert torch.equal(softened[..., :12], picture[..., :12])


def test_the_perceptual_loss_does_not_depend_on_the_features_scale() -> None:
    one, other = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)

    def at(scale: float) -> Tensor:
        return perceptual_loss(lambda pictures: [scale * pictures], one, other)

    assert float(at(1.0)) == pytest.approx(float(at(100.0)), rel=1e-4)


def test_photo_and_painting_are_moved_alike(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path, masks=True)
    plain = draw_examples(pairs, 3, 64, np.random.default_rng(1), augment=False)
    assert float((plain.photos.flip(1) / 2 - plain.painted).abs().max()) < 2 / 255
    changed = draw_examples(pairs, 8, 64, np.random.default_rng(1), augment=True)
    assert changed.masks is not None
    assert changed.masks.shape == (8, 1, 64, 64)
    together = np.corrcoef(changed.photos.flip(1).flatten().numpy(), changed.painted.flatten().numpy())[0, 1]
    assert together > 0.9


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path)
    with pytest.raises(ConfigError, match="perceptual expects"):
        StudentTrainee(pairs, replace(PIXELS_ONLY, perceptual=1.0))
    with pytest.raises(InputError, match="mask for each pair"):
        StudentTrainee(pairs, replace(PIXELS_ONLY, has_mask=True))
    with pytest.raises(InputError, match="train one first"):
        trained_student(tmp_path, PIXELS_ONLY)
    with pytest.raises(ConfigError, match="adversarial above 0"):
        replace(PIXELS_ONLY, edges=1.0)
    with pytest.raises(ConfigError, match="multiple of 32"):
        replace(PIXELS_ONLY, side=80)
    with pytest.raises(ConfigError, match="three widths"):
        StudentSize(widths=(8, 8))
