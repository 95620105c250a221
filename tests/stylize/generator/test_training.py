"""Training: each network gets its own gradient, a resumed run reaches the same bits, trouble is seen and stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.errors import ConfigError, EngineError
from portraitist.stylize.generator.losses import discriminator_loss, generator_loss, held
from portraitist.stylize.generator.presets import TINY
from portraitist.stylize.generator.training import GanTrainee, adam
from portraitist.stylize.generator.watch import Reading, guard, readings, variety
from portraitist.training.checkpoint import checkpoints
from portraitist.training.loop import Pace, run
from tests.stylize.generator.small import discs, trainee

LOOP = TINY.training.loop


def test_each_network_has_the_gradient_of_its_own_loss() -> None:
    """The step's one sum against the two losses taken apart, without augmentation or penalties."""
    subject = trainee(gamma=0.0, path_weight=0.0)
    torch.manual_seed(3)
    subject.loss(1).backward()
    together = {name: value.grad.clone() for name, value in subject.module.named_parameters()}
    subject.module.zero_grad()
    torch.manual_seed(3)
    real, made = subject.real(4), subject.made(4)
    generator_loss(subject.module.discriminator(made)).backward()
    apart = {n: v.grad.clone() for n, v in subject.module.generator.named_parameters()}
    subject.module.zero_grad()
    logits = subject.module.discriminator(real), subject.module.discriminator(made.detach())
    discriminator_loss(*logits).backward()
    for name, gradient in apart.items():
        torch.testing.assert_close(together[f"generator.{name}"], gradient)
    for name, value in subject.module.discriminator.named_parameters():
        torch.testing.assert_close(together[f"discriminator.{name}"], value.grad)


def test_a_held_module_stays_as_it_was_found() -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    layer[0].weight.requires_grad_(False)
    with held(layer):
        assert not any(p.requires_grad for p in layer.parameters())
    assert [p.requires_grad for p in layer.parameters()] == [False, True, True, True]


def test_a_resumed_run_reaches_the_same_bits(tmp_path: Path) -> None:
    """Weights, and what is remembered beside them: the augmentation moves in a run as short as this."""
    whole, first, second = (trainee(augment_pictures=64, overfit_target=0.0) for _ in range(3))
    run(whole, tmp_path / "whole", LOOP, Pace(8, 4), build_optimizer=adam)
    run(first, tmp_path / "parts", LOOP, Pace(4, 4), build_optimizer=adam)
    state = run(second, tmp_path / "parts", LOOP, Pace(8, 4), build_optimizer=adam)
    assert state.step == 8
    expected = whole.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.module.state_dict().items())
    assert {k: float(v) for k, v in whole.carried.items()} == {k: float(v) for k, v in second.carried.items()}
    assert float(whole.carried["path"]) > 0


def test_another_domain_is_another_run(tmp_path: Path) -> None:
    run(trainee(), tmp_path, LOOP, Pace(2, 2), build_optimizer=adam)
    with pytest.raises(ConfigError, match="domain was"):
        run(GanTrainee(discs(seed=1), TINY.size, TINY.training), tmp_path, LOOP, Pace(4, 2), build_optimizer=adam)


def test_the_augmentation_follows_the_sign() -> None:
    subject = trainee(augment_pictures=160)
    over, under = torch.full((4,), 2.0), torch.full((4,), -2.0)
    for step in range(200):
        subject._read(over, under, step)
    assert float(subject.carried["augment"]) == pytest.approx(subject.config.augment_most)
    for step in range(200):
        subject._read(under, under, step)
    assert float(subject.carried["augment"]) == 0
    assert float(subject.carried["sign"]) < -0.9


def test_penalties_come_when_they_are_due() -> None:
    subject = trainee(gamma=1e4)
    torch.manual_seed(0)
    with_penalty = float(subject.loss(0).detach())
    torch.manual_seed(0)
    without = float(subject.loss(1).detach())
    assert with_penalty > without


def test_variety_is_none_where_all_pictures_are_one() -> None:
    pictures = torch.randn(8, 3, 16, 16)
    assert variety(pictures) > 1
    assert variety(pictures[:1].repeat(8, 1, 1, 1)) == pytest.approx(0, abs=1e-5)


def test_trouble() -> None:
    well = Reading(10, variety=0.8, augment=0.1, sign=0.6, real=1.0, made=-1.0)
    assert well.trouble(0.9) == ""
    assert "collapsed" in replace(well, variety=0.3).trouble(0.9)
    assert "collapsed" not in replace(well, variety=0.02).trouble(0.1), (
        "a run that only begins makes all pictures alike"
    )
    assert "has won" in replace(well, real=15.0, made=-9.0).trouble(0.9)


def test_a_lost_run_stops_at_the_last_good_state(tmp_path: Path) -> None:
    subject = trainee()
    config = LOOP
    run(subject, tmp_path, config, Pace(2, 2), should_stop=lambda s: guard(s, subject), build_optimizer=adam)
    assert [row.step for row in readings(tmp_path / "watch.jsonl")] == [2]
    line = json.loads((tmp_path / "watch.jsonl").read_text())
    (tmp_path / "watch.jsonl").write_text(json.dumps({**line, "variety": 50.0, "step": 1}) + "\n")
    again = trainee()
    with pytest.raises(EngineError, match=r"collapsed.*last good state is checkpoint-0000002"):
        # Gone on from step 2: that checkpoint was read already, the next is measured against a best of 50.
        run(again, tmp_path, config, Pace(4, 2), should_stop=_after(2, again), build_optimizer=adam)
    assert [path.stem for path in checkpoints(tmp_path)] == ["checkpoint-0000002"]
    assert (tmp_path / "lost-checkpoint-0000004.safetensors").is_file()


def _after(step: int, subject: GanTrainee):  # type: ignore[no-untyped-def]
    return lambda state: state.step > step and guard(state, subject)
