"""The recipe's command line. Every stage reads what the one before left in the run's folder and can be repeated."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.cli.flags import add_flags
from portraitist.errors import PortraitistError
from portraitist.marks.network_config import MarkTrainingConfig
from portraitist.progress import Step

STAGES = ("prepare", "train", "evaluate", "export")


@dataclass(frozen=True)
class RunFolder:
    """Where the stages leave their work."""

    path: Path

    @property
    def skins(self) -> Path:
        """Views of real faces; their own marks are annotated, or found by the classical detector and not trusted."""
        return self.path / "skins"

    @property
    def rendered(self) -> Path:
        """Views with rendered marks on the skins that are learned from."""
        return self.path / "rendered"

    @property
    def held_back(self) -> Path:
        """The same on skins of people that are measured on only."""
        return self.path / "held-back"

    @property
    def checkpoints(self) -> Path:
        return self.path / "train"

    @property
    def detector(self) -> Path:
        return self.path / "marks" / "marks.onnx"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages asked for; returns the exit code."""
    asked = parser().parse_args(arguments)
    from recipes.marks import stages

    try:
        for stage in STAGES if asked.stage == "all" else (asked.stage,):
            getattr(stages, f"run_{stage}")(asked, RunFolder(asked.run.expanduser()), _report)
    except PortraitistError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of all stages."""
    made = argparse.ArgumentParser(prog="python -m recipes.marks", description="From photos to the detector of marks.")
    made.add_argument("stage", choices=("all", *STAGES))
    made.add_argument("--run", type=Path, default=Path("~/runs/marks"), help="folder of the run")
    made.add_argument("--data", type=Path, help="prepare: development data with faces/london and SPLIT.csv")
    made.add_argument("--rendered", type=int, default=2000, help="prepare: views with rendered marks to learn from")
    made.add_argument("--use", type=int, help="train: learn from the first so many rendered views only")
    made.add_argument("--minutes", type=float, help="train: stop after this time, at the next checkpoint")
    made.add_argument("--sheet-every", type=int, default=250, help="train: steps between sheets and checkpoints")
    made.add_argument("--start", type=Path, help="train: weights (.safetensors) to begin from")
    made.add_argument("--tiny", action="store_true", help="the network of the tests")
    add_flags(made, MarkTrainingConfig, "training")
    return made


def _report(step: Step) -> None:
    if (step.total and step.done % max(1, step.total // 200) == 0) or step.message.startswith("!"):
        left = "" if step.remaining is None else f", {step.remaining / 60:.0f} min left"
        sys.stdout.write(f"{step.stage} {step.done}/{step.total} {step.message}{left}\n")
        sys.stdout.flush()
