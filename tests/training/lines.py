"""One process of several that fit a line: `-m tests.training.lines FOLDER [NAME STEPS ACCUMULATION BREAKS_AT]...`

Runs one after the other, each in FOLDER/NAME. Writes there the weights it ends with, `weights-INDEX.safetensors`, or
what it was stopped by, `error-INDEX.txt`; and to standard output what was reported.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file

from portraitist.errors import PortraitistError
from portraitist.progress import Step
from portraitist.training.loop import Pace, run
from portraitist.training.processes import Processes
from tests.training.test_loop import CONFIG, Line, weights_of


def fit(folder: Path, processes: Processes, steps: int, accumulation: int, breaks_at: int) -> None:
    """One run."""
    line = Line(breaks_at=breaks_at)
    if processes.index:
        # Of another beginning: what the main process has must reach it.
        line.module[0].weight.data.zero_()
    config, pace = replace(CONFIG, accumulation=accumulation), Pace(steps, save_every=5)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        state = run(line, folder / "run", config, pace, processes=processes, report=_tell)
    except PortraitistError as error:
        (folder / f"error-{processes.index}.txt").write_text(str(error))
        return
    save_file(weights_of(state), folder / f"weights-{processes.index}.safetensors")


def _tell(step: Step) -> None:
    sys.stdout.write(f"{step.done} {step.message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    together = Processes.join(None)
    for place in range(2, len(sys.argv), 4):
        name, *numbers = sys.argv[place : place + 4]
        fit(Path(sys.argv[1]) / name, together, *map(int, numbers))
