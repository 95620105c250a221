"""After training: draw, keep the likest portraits, learn from them beside the album, keep what measures as well.

Reward-ranked fine-tuning (RAFT, Dong et al. 2023, arXiv 2304.06767): the best of several samples of each prompt become
training data, round after round. The recogniser only ranks pictures that are drawn already; nothing of it conditions
the network or reaches a gradient.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import take
from portraitist.diffusion.lora_formats import read_lora, write_lora
from portraitist.identity.checks import Check, PortraitScore, ValidationPortrait, largest_face
from portraitist.identity.choose import is_as_good
from portraitist.identity.dataset import TrainingPhoto, loss_weight
from portraitist.identity.train import Outcome, Trainer
from portraitist.identity.trainee import ADAPTER, LoraTrainee
from portraitist.identity.watch import Watch, read_check
from portraitist.library import read_json, write_json
from portraitist.progress import Step
from portraitist.retouch.person import PersonSegmenter
from portraitist.training.loop import Pace, run
from portraitist.types import Image, Pixels, derive

BEST_SHARE = 0.25
"""Part of each prompt's portraits that is learned from."""
COPY_MARGIN = 0.1
"""A portrait costs from this correlation below the album's own closest pair on; beyond the pair it is dropped."""
COPY_PENALTY = 1.0
"""Distance that a correlation of 1 costs. Neither number was tuned."""


class Draw(Protocol):
    """Draws one portrait a caption with the adapters as they are now; the same seed draws the same."""

    def __call__(self, captions: Sequence[str], seed: int) -> Sequence[Image]: ...


@dataclass(frozen=True)
class Round:
    """What one round did. drawn: portraits; faceless and copies: how many of them were dropped for that; learned_from:
    how many were the best. is_kept: whether the LoRA after it measured at least as well, with no more copies."""

    number: int
    drawn: int
    faceless: int
    copies: int
    learned_from: int
    is_kept: bool


def cost(score: PortraitScore) -> float:
    """What ranks a portrait with a face, less is better: its distance, and what it owes for nearing a copy.

    >>> cost(PortraitScore(0, distance=0.5, excess=-0.3, drift=0.0))
    0.5
    """
    assert score.distance is not None
    nearness = 0.0 if score.excess is None else max(0.0, score.excess + COPY_MARGIN)
    return score.distance + COPY_PENALTY * nearness


def likest(captions: Sequence[str], scores: Sequence[PortraitScore]) -> list[int]:
    """Places of the best quarter of each caption's portraits, without copies and those without a face.

    Each caption is ranked on its own: the recogniser likes some poses better, and they would crowd out the others.
    """
    chosen: list[int] = []
    for caption in dict.fromkeys(captions):
        own = [place for place, other in enumerate(captions) if other == caption]
        usable = [place for place in own if scores[place].distance is not None and not scores[place].is_copy]
        ranked = sorted(usable, key=lambda place: (cost(scores[place]), place))
        chosen += ranked[: max(1, int(BEST_SHARE * len(own)))]
    return chosen


@dataclass
class HalfAndHalf:
    """Turns between the album's photos and the portraits, pass by pass: the same adapters learn from both.

    first: passes before this round, so that a short round does not always begin with the same photos.
    """

    album: LoraTrainee
    portraits: LoraTrainee
    first: int = 0

    def __post_init__(self) -> None:
        self.module, self.rates = self.album.module, self.album.rates

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of the portraits' half; a round is never saved in the middle."""
        return self.portraits.settings

    def loss(self, step: int) -> Tensor:
        """Even passes are the album's."""
        return (self.album, self.portraits)[step % 2].loss((self.first + step) // 2)


@dataclass
class RewardStage:
    """The rounds after one training. captions: of the validation portraits, without the trigger. `run` can be called
    again after a kill: it goes on with the first round that is not whole."""

    trainer: Trainer
    draw: Draw
    captions: Sequence[str]
    segmenter: PersonSegmenter
    accumulation: int

    def __post_init__(self) -> None:
        trainee = self.trainer.trainee
        self.config, self.folder = trainee.config, self.trainer.folder / "reward"
        self.taken = partial(take, trainee.denoiser.pipeline, ADAPTER)
        rounds, report = self.config.reward_rounds, self.trainer.report
        self.watch = Watch(self.folder, self.taken, self.trainer.measure, self.config.patience, rounds, report)

    def run(self, outcome: Outcome) -> Outcome:
        """All rounds, each from the best LoRA so far; the outcome with that LoRA and its measures."""
        lora, best, rounds = outcome.lora, outcome.measured, []
        for number in range(1, self.config.reward_rounds + 1):
            done = self._round(number, lora, best)
            rounds.append(done)
            if done.is_kept:
                lora = read_lora(self._path(number, "safetensors"))
                best = self.watch.with_portraits(read_check(self._path(number, "check.json")), f"{_name(number)}.check")
            self._tell(done, best)
        return replace(outcome, lora=lora, measured=best, unrewarded=outcome.measured, rounds=tuple(rounds))

    def _round(self, number: int, lora: Lora, best: Check) -> Round:
        """One round, or what it came to when it was done before from the same LoRA with the same settings."""
        key, path = self._key(number, lora), self._path(number, "json")
        if path.is_file() and (known := read_json(path))["key"] == key:
            return Round(**known["round"])
        trainee, seed = self.trainer.trainee, derive(self.config.seed, number)
        trainee.put(lora)
        captions = [caption for caption in self.captions for _ in range(self.config.reward_drawn)]
        portraits = [ValidationPortrait(image) for image in self._drawn(captions, seed)]
        scores = self.trainer.score(portraits, portraits, self.trainer.lesson.compared)
        chosen = likest(captions, scores)
        is_kept = False
        if chosen:
            self._learn([self._photo(portraits[place].image, captions[place]) for place in chosen], number, seed)
            check = self.watch.keep(f"{_name(number)}.check", partial(self.trainer.measure, best.step))
            write_lora(self._path(number, "safetensors"), self.taken(), {"reward_round": str(number)})
            is_kept = is_as_good(check, best)
        faceless, copies = sum(s.distance is None for s in scores), sum(s.is_copy for s in scores)
        done = Round(number, len(captions), faceless, copies, len(chosen), is_kept)
        # Last: a round that can be read has all its files.
        write_json(path, {"key": key, "round": asdict(done)})
        return done

    def _drawn(self, captions: Sequence[str], seed: int) -> Sequence[Image]:
        self.trainer.trainee.module.eval()
        with torch.random.fork_rng(), torch.no_grad():
            return self.draw(captions, seed)

    def _photo(self, image: Image, caption: str) -> TrainingPhoto:
        assert self.trainer.reader is not None
        face = largest_face(image, self.trainer.reader)
        assert face is not None, "a portrait without a face has no place among the best"
        return TrainingPhoto(
            image, loss_weight(image, face, self.config, self.segmenter), caption, Pixels(image).digest
        )

    def _learn(self, portraits: Sequence[TrainingPhoto], number: int, seed: int) -> None:
        """Some steps at a lower rate. Nothing is saved on the way: a round is short."""
        trainee, steps = self.trainer.trainee, self.config.reward_steps
        passes = (number - 1) * steps * self.accumulation
        both = HalfAndHalf(trainee, trainee.over(portraits), passes)
        loop = self.trainer.loop_config(self.accumulation)
        loop = replace(loop, learning_rate=self.config.reward_rate * loop.learning_rate, seed=seed)
        pace = Pace(steps, save_every=0)
        build, during = trainee.memory.build_optimizer, partial(self._during, number)
        run(both, self._path(number, "run"), loop, pace, build_optimizer=build, report=during)

    def _during(self, number: int, step: Step) -> None:
        self.trainer.report(replace(step, stage=f"reward, round {number}"))

    def _tell(self, done: Round, best: Check) -> None:
        dropped = f"{done.faceless} without a face, {done.copies} copies"
        learned = f"learned from {done.learned_from} of {done.drawn} ({dropped})"
        kept = "kept" if done.is_kept else "not kept"
        distance = "" if best.distance is None else f"; distance {best.distance:.3f}"
        self.trainer.report(Step("reward", done.number, self.config.reward_rounds, f"{learned}; {kept}{distance}"))

    def _path(self, number: int, ending: str) -> Path:
        return self.folder / f"{_name(number)}.{ending}"

    def _key(self, number: int, lora: Lora) -> str:
        """Digest of all that a round depends on."""
        config, lesson = self.config, self.trainer.lesson
        facts = {
            "number": number,
            "lora": lora_digest(lora),
            "numbers": (config.reward_drawn, config.reward_steps, config.reward_rate, self.accumulation),
            "captions": list(self.captions),
            "compared": [reference.picture.digest for reference in lesson.compared],
            "settings": dict(self.trainer.trainee.settings),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def lora_digest(lora: Lora) -> str:
    """sha256 over the modules' names and factors."""
    total = hashlib.sha256()
    for path, factors in lora.modules.items():
        total.update(path.encode())
        for factor in factors:
            total.update(factor.contiguous().numpy().tobytes())
    return total.hexdigest()


def _name(number: int) -> str:
    return f"round-{number:02d}"
