"""Is the run still well? Variety of what the generator makes, and whether the discriminator has won."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from portraitist.errors import EngineError
from portraitist.stylize.generator.training import GanNetworks, GanTrainee
from portraitist.training.checkpoint import checkpoints, path_of
from portraitist.training.loop import Run

LOOKED_AT = 64
COARSE = 16
"""Pictures are compared at this side: whole faces, not noise."""
LEAST_VARIETY = 0.25
"""Of the real pictures' own; a run that never reached it only begins. Chosen with room, as no collapse was measured."""
FALL = 0.5
"""A fall to half of the best variety is a collapse, whatever the level."""
SATURATED = 20.0
"""Mean logits of real and made pictures that lie so far apart: the generator learns nothing any more."""


@dataclass(frozen=True)
class Reading:
    """The state after `step` steps. variety: mean distance between made pictures over that between real ones."""

    step: int
    variety: float
    augment: float
    sign: float
    real: float
    made: float

    def trouble(self, best_variety: float) -> str:
        """Why the run is lost, or nothing. best_variety: of the readings before."""
        if self.real - self.made > SATURATED:
            return f"the discriminator has won: logits {self.real:.1f} on real pictures, {self.made:.1f} on made ones"
        reached = max(LEAST_VARIETY, FALL * best_variety)
        if best_variety > LEAST_VARIETY and self.variety < reached:
            return f"the generator has collapsed: variety {self.variety:.2f} after {best_variety:.2f}"
        return ""


def variety(pictures: Tensor) -> float:
    """Mean distance between (n, 3, h, w) pictures, at `COARSE` pixels a side."""
    small = functional.adaptive_avg_pool2d(pictures.float(), min(COARSE, pictures.shape[-1])).flatten(1)
    return float(torch.pdist(small).mean())


def read(state: Run, trainee: GanTrainee) -> Reading:
    """Look at pictures of fixed latents; draws none of the run's own random numbers."""
    with state.evaluated() as average:
        assert isinstance(average, GanNetworks)
        torch.manual_seed(0)
        z = torch.randn(LOOKED_AT, trainee.size.latent).to(trainee.device)
        ratio = variety(average.generator(z)) / max(variety(trainee.real(LOOKED_AT)), 1e-9)
    known = {name: float(trainee.carried[name]) for name in ("augment", "sign", "real", "made")}
    return Reading(state.step, ratio, **known)


def guard(state: Run, trainee: GanTrainee) -> bool:
    """A `should_stop` of the loop: log a reading; on trouble set the checkpoint just written aside and raise.

    Raises EngineError naming what is wrong; the newest checkpoint is then the one before, the last good state.
    """
    log = state.folder / "watch.jsonl"
    reading = read(state, trainee)
    known = [row for row in readings(log) if row.step < reading.step]
    trouble = reading.trouble(max((row.variety for row in known), default=0.0))
    if trouble:
        bad = path_of(state.folder, state.step)
        if bad.is_file():
            bad.rename(bad.with_name(f"lost-{bad.name}"))
        left = [path.stem for path in checkpoints(state.folder)]
        raise EngineError(
            f"{state.folder}: {trouble} (step {state.step}); the last good state is {left[-1] if left else 'none'}. "
            "Begin anew with a larger gamma or a lower learning_rate, or with more pictures"
        )
    with log.open("a") as file:
        file.write(json.dumps(asdict(reading)) + "\n")
    return False


def readings(log: Path) -> list[Reading]:
    """All readings of a run's log, the newest of each step, in their order."""
    if not log.is_file():
        return []
    rows = [Reading(**json.loads(line)) for line in log.read_text().splitlines()]
    return sorted({row.step: row for row in rows}.values(), key=lambda row: row.step)
