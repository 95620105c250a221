"""What happens at each checkpoint: the LoRA is kept, portraits are drawn and scored, the curve grows.

Kept on disk beside the run, so that a resumed run still knows its earlier checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora, write_lora
from portraitist.identity.checks import Check, PortraitScore, ValidationPortrait
from portraitist.identity.choose import has_stopped_rising
from portraitist.image import encode_image, open_photo
from portraitist.library import read_json, write_atomic, write_json
from portraitist.progress import Report, Step, silent
from portraitist.training.checkpoint import room_for
from portraitist.training.loop import Run

Measure = Callable[[], Check]
"""The check of the weights as they are now."""
BARE, FUSION = "bare", "fusion"
"""Names of the checks that are no checkpoints: of the base alone, and of the fused LoRA."""


@dataclass
class Watch:
    """A `should_stop` of the training loop. folder: where checks are kept. take: the LoRA as it is now. measure: the
    check of a step. bare: of the base alone, None until `begin`. fusion: of the fused LoRA, None until there is one."""

    folder: Path
    take: Callable[[], Lora]
    measure: Callable[[int], Check]
    patience: int
    total: int
    report: Report = silent
    checks: list[Check] = field(default_factory=list)
    bare: Check | None = None
    fusion: Check | None = None

    def __post_init__(self) -> None:
        self.checks = [read_check(path) for path in sorted(self.folder.glob("check-*.json"))]
        self.bare = read_check(self._path(BARE)) if self._path(BARE).is_file() else None

    def begin(self, measure: Measure) -> Check:
        """The check of the base alone, with its portraits; measured once for the whole run."""
        if self.bare is None:
            self.bare = self.keep(BARE, measure)
        return self.with_portraits(self.bare, BARE)

    def __call__(self, state: Run) -> bool:
        """Keep and measure this checkpoint; True when likeness has stopped rising."""
        if state.step not in {check.step for check in self.checks}:
            self._check(state.step)
        return self.has_ended

    @property
    def has_ended(self) -> bool:
        """True when likeness has stopped rising."""
        return has_stopped_rising(self.checks, self.patience, self.bare)

    def lora(self, step: int) -> Lora:
        """The LoRA of a checkpoint."""
        return read_lora(self._path(name_of(step), "safetensors"))

    def keep(self, name: str, measure: Measure) -> Check:
        """Measure and write a check under a name of its own. Its portraits stay on disk only: there may be many.

        Raises EngineError where the disk is full.
        """
        check = measure()
        with room_for("the portraits of a check", self.folder):
            for number, portrait in enumerate(check.portraits):
                write_atomic(self._path(name, f"{number:02d}.png"), encode_image(portrait.image, "png"))
            # Last: a check that can be read has all its files.
            write_json(self._path(name), _as_json(check))
        return replace(check, portraits=())

    def with_portraits(self, check: Check, name: str | None = None) -> Check:
        """The check with its portraits, which PNG keeps to the last bit. name: of a check that is no checkpoint."""
        drawn = read_json(self._path(name or name_of(check.step)))["portraits"]
        images = [open_photo(path).pixels() for path in self.pictures(name or name_of(check.step))]
        portraits = (
            ValidationPortrait(image, facts["kind"], tuple(facts["sources"])) for image, facts in zip(images, drawn)
        )
        return replace(check, portraits=tuple(portraits))

    def pictures(self, name: str) -> list[Path]:
        """Files of a check's portraits, in order."""
        return sorted(self.folder.glob(f"{name}.*.png"))

    def _check(self, step: int) -> None:
        name = name_of(step)
        with room_for("the LoRA of a check", self.folder):
            write_lora(self._path(name, "safetensors"), self.take(), {"steps": str(step)})
        check = self.keep(name, partial(self.measure, step))
        self.checks.append(check)
        self.report(Step("check", step, self.total, check.sentence))

    def _path(self, name: str, ending: str = "json") -> Path:
        return self.folder / f"{name}.{ending}"


def read_check(path: Path) -> Check:
    """A check without its portraits."""
    values = read_json(path)
    scores = tuple(PortraitScore(**score) for score in values["scores"])
    return Check(values["step"], values["validation_loss"], scores)


def name_of(step: int) -> str:
    """Under which a checkpoint's check is kept."""
    return f"check-{step:06d}"


def _as_json(check: Check) -> dict[str, Any]:
    facts = asdict(replace(check, portraits=()))
    return {**facts, "portraits": [{"kind": drawn.kind, "sources": drawn.sources} for drawn in check.portraits]}
