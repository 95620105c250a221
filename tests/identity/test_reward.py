"""The reward stage with tiny weights and a made-up recogniser: who is learned from, what is kept, how it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.lora import Lora
from portraitist.identity.checks import Check, PortraitScore, ValidationPortrait
from portraitist.identity.config import IdentityConfig
from portraitist.identity.reward import HalfAndHalf, RewardStage, cost, likest, lora_digest
from portraitist.identity.train import Lesson, Outcome, Trainer
from portraitist.identity.trainee import LoraTrainee
from portraitist.types import Face, Image, Pose
from tests.identity.test_train import photos, trainee

WORDS = ("portrait", "portrait, smiling")
CONFIG = IdentityConfig(check_every=2, reward="likeness", reward_rounds=3, reward_drawn=4, reward_steps=2)
Marks = Callable[[int], PortraitScore]


def score(distance: float | None, excess: float | None = -0.4, number: int = 0) -> PortraitScore:
    return PortraitScore(number, distance, excess, 0.0)


class Reader:
    """Sees one face in the middle of every picture."""

    def read(self, image: Image) -> list[Face]:
        side = image.shape[0]
        points = np.random.default_rng(0).uniform(side / 4, side * 3 / 4, (468, 3)).astype(np.float32)
        box = np.array([side / 4, side / 4, side * 3 / 4, side * 3 / 4], np.float32)
        return [Face(box, points, 1.0, 1.0, Pose(0, 0, 0))]


def ramp(number: int) -> PortraitScore:
    """The later drawn, the likest."""
    return score(0.6 - 0.01 * number, number=number)


class Painter:
    """Noise from the seed; remembers what it was asked, and can be stopped at a call."""

    def __init__(self, stop_at: int = 0) -> None:
        self.seeds: list[int] = []
        self.stop_at = stop_at

    def __call__(self, captions: Sequence[str], seed: int) -> list[Image]:
        self.seeds.append(seed)
        if len(self.seeds) == self.stop_at:
            raise KeyboardInterrupt
        random = np.random.default_rng(seed)
        return [random.integers(0, 255, (32, 32, 3)).astype(np.uint8) for _ in captions]


def stage(
    folder: Path, distances: Sequence[float], painter: Painter, marks: Marks = ramp, config: IdentityConfig = CONFIG
) -> tuple[RewardStage, Outcome]:
    """A stage after two steps of training, whose checks measure `distances` one after the other."""
    made = trainee(config=config)
    lesson = Lesson(made.photos, photos(count=1), compared=(), trained=())
    trainer = Trainer(made, lesson, folder, None, Reader())  # type: ignore[arg-type]
    outcome = trainer.run(2, 1)
    before = Check(2, None, (score(0.55),), (ValidationPortrait(np.zeros((8, 8, 3), np.uint8)),))
    measured = iter(distances)

    def measure(step: int) -> Check:
        return Check(step, None, (score(next(measured)),), before.portraits)

    def scored(portraits: Sequence[ValidationPortrait], *more: Any) -> tuple[PortraitScore, ...]:
        return tuple(marks(number) for number in range(len(portraits)))

    trainer.measure, trainer.score = measure, scored  # type: ignore[method-assign]
    made_by = RewardStage(trainer, painter, WORDS, lambda image, face: np.ones(image.shape[:2], np.float32), 1)  # type: ignore[arg-type]
    return made_by, Outcome(outcome.lora, {2: 1.0}, (), before, before, before, None, 0.0)


def same(one: Lora, other: Lora) -> bool:
    return lora_digest(one) == lora_digest(other)


def test_nearing_a_copy_costs() -> None:
    assert cost(score(0.5)) == 0.5
    assert cost(score(0.5, excess=-0.05)) == pytest.approx(0.55)
    assert cost(score(0.5, excess=None)) == 0.5


def test_each_caption_s_best_quarter_without_copies_and_the_faceless() -> None:
    captions = ["a"] * 8 + ["b"] * 8
    easy = [score(d) for d in (0.20, 0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.27)]
    hard = [score(None, None), score(0.1, excess=0.2), score(0.7), score(0.62, excess=-0.01), score(0.65)]
    hard += [score(0.9)] * 3
    # Of b the copy and the one without a face are out; 0.62 pays 0.09 for nearing a copy, so 0.65 and 0.7 go before.
    assert likest(captions, [*easy, *hard]) == [0, 1, 12, 10]
    assert likest(["a"] * 4, [score(None, None)] * 4) == []


def test_passes_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    album, drawn = (SimpleNamespace(module=None, rates={}, loss=lambda i, n=n: (n, i)) for n in ("album", "drawn"))
    both = HalfAndHalf(album, drawn, first=4)  # type: ignore[arg-type]
    assert [both.loss(i) for i in range(4)] == [("album", 2), ("drawn", 2), ("album", 3), ("drawn", 3)]


def test_a_round_is_kept_only_if_it_measures_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    put = LoraTrainee.put
    monkeypatch.setattr(LoraTrainee, "put", lambda self, lora: (begun.append(lora_digest(lora)), put(self, lora)))
    painter = Painter()
    made, outcome = stage(tmp_path, [0.50, 0.70, 0.45], painter)
    after = made.run(outcome)
    assert [done.is_kept for done in after.rounds] == [True, False, True]
    assert [done.learned_from for done in after.rounds] == [2, 2, 2]
    assert after.measured.distance == pytest.approx(0.45)
    assert after.unrewarded == outcome.measured
    assert len(after.measured.portraits) == 1
    assert len(set(painter.seeds)) == 3
    # The second and the third round both begin from what the first one kept.
    assert begun[0] == lora_digest(outcome.lora)
    assert begun[1] == begun[2] != begun[0]
    assert not same(after.lora, outcome.lora)


def test_without_a_usable_portrait_nothing_changes(tmp_path: Path) -> None:
    made, outcome = stage(tmp_path, [], Painter(), marks=lambda i: score(None, None) if i % 2 else score(0.2, 0.1))
    after = made.run(outcome)
    assert same(after.lora, outcome.lora)
    assert after.measured == outcome.measured
    assert [(r.drawn, r.faceless, r.copies, r.learned_from) for r in after.rounds] == [(8, 4, 4, 0)] * 3


def test_more_copies_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, outcome = stage(tmp_path, [], Painter())
    made.trainer.measure = lambda step: Check(step, None, (score(0.1, excess=0.2),))  # type: ignore[method-assign]
    after = made.run(outcome)
    assert not any(done.is_kept for done in after.rounds)
    assert same(after.lora, outcome.lora)


def test_a_killed_stage_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    made, outcome = stage(tmp_path / "whole", [0.50, 0.48, 0.45], Painter())
    whole = made.run(outcome)
    made, outcome = stage(tmp_path / "killed", [0.50, 0.48], Painter(stop_at=3))
    with pytest.raises(KeyboardInterrupt):
        made.run(outcome)
    going_on = Painter()
    made, outcome = stage(tmp_path / "killed", [0.45], going_on)
    gone_on = made.run(outcome)
    assert len(going_on.seeds) == 1
    assert same(whole.lora, gone_on.lora)
    assert gone_on.rounds == whole.rounds
    assert gone_on.measured == whole.measured


def test_other_settings_begin_the_stage_anew(tmp_path: Path) -> None:
    made, outcome = stage(tmp_path, [0.50, 0.48, 0.45], Painter())
    made.run(outcome)
    again = Painter()
    longer = IdentityConfig(check_every=2, reward="likeness", reward_rounds=2, reward_drawn=4, reward_steps=3)
    made, outcome = stage(tmp_path, [0.50, 0.48], again, config=longer)
    made.run(outcome)
    assert len(again.seeds) == 2
