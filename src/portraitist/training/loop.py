"""The loop of every training here: seeded steps, averaged weights, checkpoints, sample sheets, a stop at NaN.

The same command goes on after a kill, and on one machine it reaches the same bits as a run that was never stopped:
pass k of step n draws all its random numbers from a seed made of the run's seed, n and k. Several processes share the
passes of a step and add up their gradients (`processes.py`), so however many they are, the run is the same up to the
order of a sum.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from portraitist.errors import EngineError
from portraitist.progress import Report, Step, silent
from portraitist.training.checkpoint import (
    Checkpoint,
    load_newest,
    optimizer_tensors,
    packed,
    require_same,
    restore_optimizer,
    save_checkpoint,
    unpacked,
)
from portraitist.training.clock import Clock
from portraitist.training.config import LoopConfig
from portraitist.training.optimizers import BuildOptimizer, adamw
from portraitist.training.processes import ALONE, Processes
from portraitist.training.schedule import ema_decay, learning_rate
from portraitist.types import derive


class Trainee(Protocol):
    """What is trained: a module and its loss. `settings` are the values that a resumed run must share.

    rates: factors of the learning rate by the beginning of a parameter's name; 1 for all others.
    """

    module: nn.Module
    rates: Mapping[str, float]

    @property
    def settings(self) -> Mapping[str, Any]: ...

    def loss(self, step: int) -> Tensor:
        """Scalar loss of one batch; all randomness from torch's seeded generator or from `step`."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A trainee with numbers of its own beside the weights, changed in place from step to step: saved and restored.

    Several processes do not share them: such a trainee is trained in one.
    """

    carried: Mapping[str, Tensor]


@dataclass(frozen=True)
class Pace:
    """How long, and how often something is written. None of it changes a weight.

    steps: where to stop, counted from the run's beginning. save_every and sheet_every: in steps; 0 is never.
    sheet_at: further steps with a sheet.
    """

    steps: int
    save_every: int = 500
    sheet_every: int = 0
    sheet_at: tuple[int, ...] = ()

    def has_sheet(self, step: int) -> bool:
        """True when a sheet is due after this step."""
        return step in self.sheet_at or (self.sheet_every > 0 and step % self.sheet_every == 0)

    def has_save(self, step: int) -> bool:
        """True when a checkpoint is due after this step."""
        return self.save_every > 0 and (step % self.save_every == 0 or step == self.steps)

    def saves_after(self, step: int) -> int:
        """Checkpoints still to come."""
        if not self.save_every or step >= self.steps:
            return 0
        return math.ceil(self.steps / self.save_every) - step // self.save_every


@dataclass
class Run:
    """A run in the making. `average` is the module with the averaged weights (the module itself without ema)."""

    trainee: Trainee
    config: LoopConfig
    folder: Path
    optimizer: torch.optim.Optimizer
    average: nn.Module
    processes: Processes = ALONE
    step: int = 0
    losses: list[float] = field(default_factory=list)

    @contextmanager
    def evaluated(self) -> Iterator[nn.Module]:
        """The averaged module in eval mode, for sheets and validation: draws nothing from the run's own numbers."""
        with torch.random.fork_rng(), torch.no_grad():
            self.average.eval()
            yield self.average


Sheet = Callable[[Run], None]
Stop = Callable[[Run], bool]


def run(
    trainee: Trainee,
    folder: Path,
    config: LoopConfig,
    pace: Pace,
    *,
    sheet: Sheet | None = None,
    should_stop: Stop | None = None,
    processes: Processes = ALONE,
    build_optimizer: BuildOptimizer = adamw,
    report: Report = silent,
) -> Run:
    """Train up to `pace.steps`, going on from the folder's newest checkpoint.

    `sheet` is called where `pace` says; `should_stop` after each saved checkpoint, and on the one a run goes on from.
    Of several processes both run on the main one only, as everything that writes; with more processes than passes a
    step gets a pass for each.
    Raises ConfigError when the folder's run had other settings; EngineError when the loss stops being a number or the
    disk is full; the newest checkpoint stays good in each case.
    """
    report = report if processes.is_main else silent
    state = _begin(trainee, folder, _with_a_pass_each(config, processes, report), build_optimizer, processes)
    # What follows a checkpoint may have been lost with the kill: it is made up for before the next step.
    if state.step and should_stop is not None and processes.decide(partial(should_stop, state)):
        return state
    clock = Clock()
    while state.step < pace.steps:
        with clock.step():
            loss = _one_step(state)
        state.losses.append(loss)
        if pace.has_save(state.step):
            with clock.pause():
                ends = processes.decide(partial(_save, state, clock.elapsed, should_stop))
            if ends:
                break
        if sheet is not None and pace.has_sheet(state.step):
            processes.on_main(partial(sheet, state))
        remaining = clock.remaining(pace.steps - state.step, pace.saves_after(state.step))
        report(Step("train", state.step, pace.steps, f"loss {loss:.4f}", clock.step_seconds, remaining))
    return state


def _with_a_pass_each(config: LoopConfig, processes: Processes, report: Report) -> LoopConfig:
    passes = max(config.accumulation, processes.count)
    if passes != config.accumulation:
        report(Step("train", message=f"accumulation {passes} instead of {config.accumulation}: a pass a process"))
    return replace(config, accumulation=passes)


def _begin(
    trainee: Trainee, folder: Path, config: LoopConfig, build_optimizer: BuildOptimizer, processes: Processes
) -> Run:
    module = trainee.module
    average = copy.deepcopy(module).requires_grad_(False) if config.ema_width else module
    optimizer = build_optimizer(_groups(trainee), config)
    state = Run(trainee, config, folder, optimizer, average, processes)
    start = processes.from_main(partial(_go_on, state))
    if not processes.is_main:
        # The folder may be on another machine: what was read there is sent. Another album would be trained on silently.
        checkpoint = unpacked(start)
        require_same(checkpoint.settings, _settings(state), folder)
        _restore(state, checkpoint)
    return state


def _go_on(state: Run) -> bytes:
    """Take up the folder's newest checkpoint; returns what the other processes begin with."""
    checkpoint = load_newest(state.folder, _settings(state))
    if checkpoint is not None:
        _restore(state, checkpoint)
    return packed(_checkpoint(state)) if state.processes.count > 1 else b""


def _groups(trainee: Trainee) -> list[dict[str, Any]]:
    """Parameter groups of the optimiser, one a factor of the rate."""
    by_factor: dict[float, list[nn.Parameter]] = {}
    for name, parameter in trainee.module.named_parameters():
        if parameter.requires_grad:
            factor = next((f for start, f in trainee.rates.items() if name.startswith(start)), 1.0)
            by_factor.setdefault(factor, []).append(parameter)
    return [{"params": parameters, "rate_factor": factor} for factor, parameters in by_factor.items()]


def _settings(state: Run) -> dict[str, Any]:
    return {**asdict(state.config), **state.trainee.settings}


def _one_step(state: Run) -> float:
    """One step of the optimiser; returns the mean loss of its batches."""
    config, module = state.config, state.trainee.module
    module.train()
    total = 0.0
    for part in state.processes.passes(config.accumulation):
        torch.manual_seed(_seed(config.seed, state.step, part))
        loss = state.trainee.loss(state.step * config.accumulation + part) / config.accumulation
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    total = state.processes.add_gradients(module, total)
    norm = float(torch.nn.utils.clip_grad_norm_(module.parameters(), config.clip_norm))
    if not math.isfinite(total) or not math.isfinite(norm):
        raise EngineError(
            f"{state.folder}: the loss is {total} and the gradient {norm} at step {state.step + 1}; the last good "
            "checkpoint is kept. Lower learning_rate, or look for broken pictures in the data"
        )
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(state.step, config) * group["rate_factor"]
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    _average(state)
    state.step += 1
    return total


def _seed(seed: int, step: int, part: int) -> int:
    """Of one pass, whichever process it falls to. The first is the step's own."""
    own = derive(seed, step)
    return derive(own, part) if part else own


def _average(state: Run) -> None:
    if state.average is state.trainee.module:
        return
    keep = ema_decay(state.step, state.config.ema_width)
    with torch.no_grad():
        torch._foreach_lerp_(list(state.average.parameters()), list(state.trainee.module.parameters()), 1 - keep)


def _memory(trainee: Trainee) -> Mapping[str, Tensor]:
    return trainee.carried if isinstance(trainee, Remembers) else {}


def _names(module: nn.Module) -> dict[Tensor, str]:
    return {parameter: name for name, parameter in module.named_parameters() if parameter.requires_grad}


def _save(state: Run, seconds: float, should_stop: Stop | None) -> bool:
    """Write a checkpoint and a line of the log; True when the run is to stop here."""
    save_checkpoint(state.folder, _checkpoint(state))
    recent = state.losses[-500:]
    line = {"step": state.step, "loss": sum(recent) / max(len(recent), 1), "seconds": round(seconds, 1)}
    with (state.folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    return should_stop is not None and should_stop(state)


def _checkpoint(state: Run) -> Checkpoint:
    module = state.trainee.module
    tensors: dict[str, Tensor] = {f"weights.{name}": p for name, p in module.named_parameters() if p.requires_grad}
    if state.average is not module:
        tensors |= {f"average.{name}": p for name, p in state.average.named_parameters()}
    tensors |= {f"memory.{name}": value for name, value in _memory(state.trainee).items()}
    tensors |= optimizer_tensors(state.optimizer, _names(module))
    return Checkpoint(state.step, tensors, _settings(state))


def _restore(state: Run, checkpoint: Checkpoint) -> None:
    module, tensors = state.trainee.module, checkpoint.tensors
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(tensors[f"weights.{name}"])
        if state.average is not module:
            for name, parameter in state.average.named_parameters():
                parameter.copy_(tensors[f"average.{name}"])
        for name, value in _memory(state.trainee).items():
            value.copy_(tensors[f"memory.{name}"])
    restore_optimizer(state.optimizer, _names(module), tensors)
    state.step = checkpoint.step
