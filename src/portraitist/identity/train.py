"""From photos to an identity: train, check, vote, fuse, and keep the fusion only if it measures as well."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import install, remove, take
from portraitist.diffusion.lora_fusion import fuse
from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import Check, PortraitScore, ValidationPortrait, score_portraits
from portraitist.identity.choose import BASIS, best_single, fusion_sentence, is_as_good, measure_of, vote
from portraitist.identity.dataset import TrainingPhoto
from portraitist.identity.live import LivePage
from portraitist.identity.trainee import ADAPTER, LoraTrainee
from portraitist.identity.watch import FUSION, Watch
from portraitist.progress import Report, silent
from portraitist.training.checkpoint import OtherSettings, checkpoints
from portraitist.training.config import LoopConfig
from portraitist.training.loop import Pace, run
from portraitist.training.processes import ALONE, Processes
from portraitist.types import Reference

if TYPE_CHECKING:
    from portraitist.identity.reward import Round

RUN = "run"
WORK = (RUN, "checks", "reward")
"""Folders of a training that is under way; the identity's own files lie beside them."""
WARM_UP = 10
"""Steps; the adapters begin as nothing, so there is little to protect."""
Preview = Callable[[], Sequence[ValidationPortrait]]
"""Draws the validation portraits with the pipeline as it is now; always of the same noise, prompts and templates."""


@dataclass(frozen=True)
class Lesson:
    """What is learned from and judged by. photos: to train on. held_back: for the validation loss. compared: photos
    that likeness is taken to; without any there is none. trained: references of `photos`, for copies."""

    photos: Sequence[TrainingPhoto]
    held_back: Sequence[TrainingPhoto]
    compared: Sequence[Reference]
    trained: Sequence[Reference]


@dataclass(frozen=True)
class Outcome:
    """lora: the identity. weights: step -> share in the fusion (one step with 1.0 when a single one was kept). checks:
    all of them. bare: the check of the base alone. measured: of the LoRA that was kept, with its portraits. single:
    the best checkpoint's. fusion: the check of the fused LoRA, None where there was none to fuse. rank_loss: relative
    error of bringing the fusion to the asked rank. unrewarded: what `measured` was before the reward stage, None
    without one; rounds: what that stage did."""

    lora: Lora
    weights: dict[int, float]
    checks: tuple[Check, ...]
    bare: Check
    measured: Check
    single: Check
    fusion: Check | None
    rank_loss: float
    unrewarded: Check | None = None
    rounds: tuple[Round, ...] = ()

    @property
    def is_fused(self) -> bool:
        """True when the fusion measured at least as well as the best single checkpoint."""
        return len(self.weights) > 1

    @property
    def sentences(self) -> list[str]:
        """What was kept, by what it was chosen, and what fusing brought."""
        steps = ", ".join(f"{step} ({share:.0%})" for step, share in self.weights.items())
        lines = [f"kept: {'the fusion of ' if self.is_fused else ''}step {steps}; {BASIS[measure_of(self.checks)]}"]
        if self.fusion is not None:
            told = fusion_sentence(self.fusion.distance, self.single.distance, self.rank_loss, is_kept=self.is_fused)
            lines.append(f"the fusion against the best single checkpoint: {told}")
        return lines


@dataclass
class Trainer:
    """One training of one sitter. `run` can be called again after a kill: it goes on. title: of its page. processes:
    those that train together; the main one alone measures, chooses and writes."""

    trainee: LoraTrainee
    lesson: Lesson
    folder: Path
    preview: Preview | None
    reader: FaceReader | None
    report: Report = silent
    title: str = "training"
    processes: Processes = ALONE
    _without: Sequence[ValidationPortrait] = ()

    def run(self, steps: int, accumulation: int, *, fresh: bool = False) -> Outcome | None:
        """Train up to `steps`, choose and fuse. None on a process that is not the main one.

        fresh: forget an earlier run first; the identity it made stays until the new one is written. Raises
        OtherSettings when an earlier run is there that was begun with others.
        """
        self.processes.on_main(partial(self._clear, fresh))
        try:
            return self._run(steps, accumulation)
        except OtherSettings as error:
            raise OtherSettings(f"{error} with --fresh, which keeps what was learned until the new is ready") from error

    def _clear(self, fresh: bool) -> None:
        # What was measured before a first checkpoint may be another album's: nothing says whose it is.
        if fresh or not checkpoints(self.folder / RUN):
            for name in WORK:
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def _run(self, steps: int, accumulation: int) -> Outcome | None:
        config, loop = self.trainee.config, self.loop_config(accumulation)
        taken = partial(take, self.trainee.denoiser.pipeline, ADAPTER)
        watch = Watch(self.folder / "checks", taken, self.measure, config.patience, steps)
        page = LivePage(self.folder, watch, self.title, self.report)
        watch.report = page.hear
        pace = Pace(steps, save_every=config.check_every, sheet_every=page.stride)
        with page.told() if self.processes.is_main else nullcontext():
            bare = self.processes.on_main(partial(watch.begin, self.measure_bare))
            self._without = bare.portraits if bare is not None else ()
            run(
                self.trainee, self.folder / RUN, loop, pace,
                sheet=page, should_stop=watch, build_optimizer=self.trainee.memory.build_optimizer,
                processes=self.processes, report=page.hear,
            )  # fmt: skip
            outcome = self.processes.on_main(partial(self._choose, watch))
        if outcome is not None:
            page.end(outcome.sentences, outcome.weights)
        return outcome

    def loop_config(self, accumulation: int) -> LoopConfig:
        """How the optimiser walks."""
        return LoopConfig(
            learning_rate=self.trainee.lora.learning_rate,
            warm_up=WARM_UP, decay_after=0, beta2=0.999, ema_width=0,
            accumulation=accumulation, seed=self.trainee.config.seed,
        )  # fmt: skip

    def measure(self, step: int) -> Check:
        """Validation loss and scored portraits of the weights as they are now."""
        return self._measured(step, self._drawn(), self._without)

    def measure_bare(self) -> Check:
        """The same of the base without the LoRA."""
        with self._switched_off():
            portraits = self._drawn()
            return self._measured(0, portraits, portraits)

    def score(
        self,
        portraits: Sequence[ValidationPortrait],
        without: Sequence[ValidationPortrait],
        compared: Sequence[Reference],
    ) -> tuple[PortraitScore, ...]:
        """Scores against photos; none without photos or a reader."""
        if self.reader is None or not compared:
            return ()
        return score_portraits(portraits, without, compared, self.lesson.trained, self.reader)

    def _measured(
        self, step: int, portraits: Sequence[ValidationPortrait], without: Sequence[ValidationPortrait]
    ) -> Check:
        held_back = self.lesson.held_back
        loss = self.trainee.validation_loss(held_back) if held_back else None
        return Check(step, loss, self.score(portraits, without, self.lesson.compared), tuple(portraits))

    def _drawn(self) -> Sequence[ValidationPortrait]:
        if self.preview is None:
            return ()
        self.trainee.module.eval()
        with torch.random.fork_rng(), torch.no_grad():
            return self.preview()

    @contextmanager
    def _switched_off(self) -> Iterator[None]:
        """The base as it is without the LoRA."""
        parts: list[Any] = [part for part in self.trainee.module.children() if hasattr(part, "enable_adapters")]
        for part in parts:
            part.disable_adapters()
        try:
            yield
        finally:
            for part in parts:
                part.enable_adapters()

    def _choose(self, watch: Watch) -> Outcome:
        """The fused LoRA if it measures at least as well as the best single checkpoint, else that checkpoint."""
        checks = tuple(sorted(watch.checks, key=lambda check: check.step))
        assert watch.bare is not None
        single = watch.with_portraits(best_single(checks))
        best = Outcome(watch.lora(single.step), {single.step: 1.0}, checks, watch.bare, single, single, None, 0.0)
        chosen = vote(checks)
        if len(chosen.weights) < 2:
            return best
        loras, weights = [watch.lora(step) for step in chosen.weights], list(chosen.weights.values())
        fused, loss = fuse(loras, weights, self.trainee.lora.rank)
        pipeline = self.trainee.denoiser.pipeline
        remove(pipeline, ADAPTER)
        install(pipeline, fused, ADAPTER)
        fusion = watch.fusion = watch.keep(FUSION, partial(self.measure, checks[-1].step))
        if not is_as_good(fusion, single):
            return replace(best, fusion=fusion, rank_loss=loss.total)
        measured = watch.with_portraits(fusion, FUSION)
        return replace(best, lora=fused, weights=chosen.weights, measured=measured, fusion=fusion, rank_loss=loss.total)
