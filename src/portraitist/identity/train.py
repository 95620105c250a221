"""From photos to an identity: train, check, vote, fuse, and keep the fusion only if it measures as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import install, remove, take
from portraitist.diffusion.lora_fusion import fuse
from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import Check, score_portraits
from portraitist.identity.choose import best_single, vote
from portraitist.identity.dataset import TrainingPhoto
from portraitist.identity.trainee import ADAPTER, LoraTrainee
from portraitist.identity.watch import Watch
from portraitist.progress import Report, silent
from portraitist.training.config import LoopConfig
from portraitist.training.loop import Pace, run
from portraitist.types import Image, Reference

WARM_UP = 10
"""Steps; the adapters begin as nothing, so there is little to protect."""
Preview = Callable[[], Sequence[Image]]
"""Draws the validation portraits with the pipeline as it is now; always of the same noise and prompts."""


@dataclass(frozen=True)
class Lesson:
    """What is learned from and judged by. photos: to train on. held_back: for the validation loss. compared: photos
    that likeness is taken to. trained: references of `photos`, for copies."""

    photos: Sequence[TrainingPhoto]
    held_back: Sequence[TrainingPhoto]
    compared: Sequence[Reference]
    trained: Sequence[Reference]


@dataclass(frozen=True)
class Outcome:
    """lora: the identity. weights: step -> share in the fusion (one step with 1.0 when a single one was kept). checks:
    all of them. measured: of the LoRA that was kept. fusion: the check of the fused LoRA, None where there was none to
    fuse. rank_loss: relative error of bringing the fusion to the asked rank."""

    lora: Lora
    weights: dict[int, float]
    checks: tuple[Check, ...]
    measured: Check
    fusion: Check | None
    rank_loss: float


@dataclass
class Trainer:
    """One training of one sitter. `run` can be called again after a kill: it goes on."""

    trainee: LoraTrainee
    lesson: Lesson
    folder: Path
    preview: Preview | None
    reader: FaceReader | None
    report: Report = silent
    _without: Sequence[Image] = ()

    def run(self, steps: int, accumulation: int) -> Outcome:
        """Train up to `steps`, choose and fuse."""
        config = self.trainee.config
        loop = LoopConfig(
            learning_rate=self.trainee.lora.learning_rate,
            warm_up=WARM_UP, decay_after=0, beta2=0.999, ema_width=0,
            accumulation=accumulation, seed=config.seed,
        )  # fmt: skip
        pipeline = self.trainee.denoiser.pipeline
        checks, taken = self.folder / "checks", partial(take, pipeline, ADAPTER)
        watch = Watch(checks, taken, self.measure, config.patience, steps, self.report)
        # A run that stopped early has ended: the same command must not train it an interval further. It is opened
        # all the same, so that other photos or settings are refused.
        end = watch.checks[-1].step if watch.has_ended else steps
        pace = Pace(end, save_every=config.check_every)
        run(self.trainee, self.folder / "run", loop, pace, should_stop=watch, report=self.report)
        return self._choose(watch)

    def measure(self) -> tuple[float | None, Sequence[Image], tuple[Any, ...]]:
        """Validation loss and scored portraits of the weights as they are now."""
        lesson = self.lesson
        loss = self.trainee.validation_loss(lesson.held_back) if lesson.held_back else None
        if self.preview is None or self.reader is None or not lesson.compared:
            return loss, (), ()
        if not self._without:
            self._without = self._drawn(with_lora=False)
        portraits = self._drawn(with_lora=True)
        scores = score_portraits(portraits, self._without, lesson.compared, lesson.trained, self.reader)
        return loss, portraits, scores

    def _drawn(self, *, with_lora: bool) -> Sequence[Image]:
        assert self.preview is not None
        parts: list[Any] = [part for part in self.trainee.module.children() if hasattr(part, "enable_adapters")]
        self.trainee.module.eval()
        if not with_lora:
            for part in parts:
                part.disable_adapters()
        try:
            with torch.random.fork_rng(), torch.no_grad():
                return self.preview()
        finally:
            for part in parts:
                part.enable_adapters()

    def _choose(self, watch: Watch) -> Outcome:
        """The fused LoRA if it measures at least as well as the best single checkpoint, else that checkpoint."""
        checks = tuple(sorted(watch.checks, key=lambda check: check.step))
        single = best_single(checks)
        best = Outcome(watch.lora(single.step), {single.step: 1.0}, checks, single, None, 0.0)
        chosen = vote(checks)
        if len(chosen.weights) < 2:
            return best
        loras, weights = [watch.lora(step) for step in chosen.weights], list(chosen.weights.values())
        fused, loss = fuse(loras, weights, self.trainee.lora.rank)
        pipeline = self.trainee.denoiser.pipeline
        remove(pipeline, ADAPTER)
        install(pipeline, fused, ADAPTER)
        fusion = Check(checks[-1].step, *_without_pictures(self.measure()))
        if _as_good(fusion, single):
            return Outcome(fused, chosen.weights, checks, fusion, fusion, loss.total)
        return Outcome(best.lora, best.weights, checks, single, fusion, loss.total)


def _without_pictures(measured: tuple[float | None, Sequence[Image], tuple[Any, ...]]) -> tuple[Any, Any]:
    loss, _, scores = measured
    return loss, scores


def _as_good(fusion: Check, single: Check) -> bool:
    if fusion.distance is None or single.distance is None:
        return False
    return fusion.distance <= single.distance and fusion.copies <= single.copies
