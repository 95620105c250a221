"""The recipe's command line. Every stage reads what the one before left in the run's folder and can be repeated."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.errors import PortraitistError
from portraitist.progress import Step
from recipes.mini.config import CONFIGS, MiniConfig

LABELS = Path(__file__).parents[1] / "attributes" / "labels.csv"
STAGES = ("prepare", "autoencoder", "base", "controls", "evaluate", "export")


@dataclass(frozen=True)
class RunFolder:
    """Where the stages leave their work."""

    path: Path

    @property
    def pack(self) -> Path:
        return self.path / "pack.npz"

    @property
    def judge(self) -> Path:
        return self.path / "judge.npz"

    @property
    def autoencoder(self) -> Path:
        return self.path / "autoencoder"

    @property
    def base(self) -> Path:
        return self.path / "base"

    def control(self, name: str) -> Path:
        return self.path / f"control-{name}"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def folder(self) -> Path:
        return self.path / "portrait-mini"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages asked for; returns the exit code."""
    asked = _parser().parse_args(arguments)
    stages = STAGES if asked.stage == "all" else (asked.stage,)
    try:
        for stage in stages:
            _run_stage(stage, asked, RunFolder(asked.run.expanduser()), CONFIGS[asked.config])
    except PortraitistError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recipes.mini", description="From pictures to portrait-mini.")
    parser.add_argument("stage", choices=("all", *STAGES))
    parser.add_argument("--run", type=Path, default=Path("~/runs/mini"), help="folder of the run")
    parser.add_argument("--data", type=Path, help="development data with synthetic_faces/ and SPLIT.csv")
    parser.add_argument("--images", type=Path, help="own pictures instead: a folder of square aligned faces")
    parser.add_argument("--config", choices=tuple(CONFIGS), default="cpu", help="gpu: a larger batch; tiny: for tests")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--minutes", type=float, help="stop the base after this time, at the next checkpoint")
    parser.add_argument("--steps", type=int, help="train up to this step of the base or of each control")
    parser.add_argument("--sheet-every", type=int, default=500, help="steps between sample sheets")
    parser.add_argument("--control", choices=("mesh", "canny"), help="controls: only this one")
    parser.add_argument("--samples", type=int, default=1000, help="evaluate: pictures drawn; the card's table has 1000")
    parser.add_argument("--watch", type=int, default=4000, help="steps between counts of copies; 0: never")
    parser.add_argument(
        "--start",
        type=Path,
        help="weights to begin from (base, controls) or to measure (evaluate): a file, or an exported folder",
    )
    return parser


def _run_stage(stage: str, asked: argparse.Namespace, run: RunFolder, config: MiniConfig) -> None:
    """Stages import what they need when they run: --help needs no torch."""
    from recipes.mini import stages

    getattr(stages, f"run_{stage}")(asked, run, config, _report)


def _report(step: Step) -> None:
    if (step.total and step.done % max(1, step.total // 200) == 0) or step.message.startswith("!"):
        sys.stdout.write(f"{step.stage} {step.done}/{step.total} {step.message}\n")
        sys.stdout.flush()
