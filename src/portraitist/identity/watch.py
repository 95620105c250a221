"""What happens at each checkpoint: the LoRA is kept, portraits are drawn and scored, the curve grows.

Kept on disk beside the run, so that a resumed run still knows its earlier checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora, write_lora
from portraitist.identity.checks import Check, PortraitScore
from portraitist.identity.choose import has_stopped_rising
from portraitist.image import encode_image
from portraitist.library import write_atomic, write_json
from portraitist.progress import Report, Step, silent
from portraitist.training.loop import Run
from portraitist.types import Image

Measure = Callable[[], tuple[float | None, Sequence[Image], tuple[PortraitScore, ...]]]
"""Validation loss, portraits and their scores of the weights as they are now."""


@dataclass
class Watch:
    """A `should_stop` of the training loop. folder: where checks are kept. take: the LoRA as it is now."""

    folder: Path
    take: Callable[[], Lora]
    measure: Measure
    patience: int
    total: int
    report: Report = silent
    checks: list[Check] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.checks = [_read_check(path) for path in sorted(self.folder.glob("check-*.json"))]

    def __call__(self, state: Run) -> bool:
        """Keep and measure this checkpoint; True when likeness has stopped rising."""
        if state.step not in {check.step for check in self.checks}:
            self.checks.append(self._check(state.step))
        return self.has_ended

    @property
    def has_ended(self) -> bool:
        """True when likeness has stopped rising."""
        return has_stopped_rising(self.checks, self.patience)

    def lora(self, step: int) -> Lora:
        """The LoRA of a checkpoint."""
        return read_lora(self._path(step, "safetensors"))

    def _check(self, step: int) -> Check:
        loss, portraits, scores = self.measure()
        check = Check(step, loss, scores, tuple(portraits))
        for number, portrait in enumerate(portraits):
            path = self._path(step, f"{number:02d}.png")
            write_atomic(path, encode_image(portrait, "png"))
        write_lora(self._path(step, "safetensors"), self.take(), {"steps": str(step)})
        # Last: a check that can be read has all its files.
        write_json(self._path(step, "json"), _as_json(check))
        self.report(Step("check", step, self.total, _sentence(check)))
        return check

    def _path(self, step: int, ending: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"check-{step:06d}.{ending}"


def _sentence(check: Check) -> str:
    loss = "" if check.validation_loss is None else f"validation loss {check.validation_loss:.4f}"
    distance = "" if check.distance is None else f"distance {check.distance:.3f}, {check.copies} copies"
    return "; ".join(part for part in (distance, loss) if part)


def _as_json(check: Check) -> dict[str, Any]:
    return asdict(replace(check, portraits=()))


def _read_check(path: Path) -> Check:
    values = json.loads(path.read_text())
    scores = tuple(PortraitScore(**score) for score in values["scores"])
    return Check(values["step"], values["validation_loss"], scores)
