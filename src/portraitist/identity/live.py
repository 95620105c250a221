"""A page that shows a training while it runs: curves, what the checkpoints drew, how long it will take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from portraitist.identity.checks import KINDS, PLACES, Check
from portraitist.identity.watch import BARE, FUSION, Watch, name_of
from portraitist.library import read_json, write_atomic, write_json
from portraitist.pages.charts import Line, Point
from portraitist.pages.training import CheckRow, Shot, TrainingView, thinned, training_page
from portraitist.progress import Report, Step, silent
from portraitist.training.loop import Run

PAGE, LOSSES = "training.html", "losses.json"
EVERY = 3.0
"""Seconds between two writings while nothing but the step changes."""
_POINTS = 400
"""Losses kept at most, each the mean of the steps since the one before."""


class LivePage:
    """A sheet of the training loop that takes its losses, and a report that writes the page as it passes steps on.

    folder: where the page lies; its pictures are those the watch keeps below it.
    """

    def __init__(self, folder: Path, watch: Watch, title: str, report: Report = silent) -> None:
        self.path, self.watch, self.title, self.report = folder / PAGE, watch, title, report
        self.stride = max(1, watch.total // _POINTS)
        self._losses = self._known()
        self._newest, self._written = Step("train", 0, watch.total), 0.0

    def __call__(self, state: Run) -> None:
        """Take the mean loss of the steps since the last call."""
        recent = state.losses[-self.stride :]
        self._losses[state.step] = sum(recent) / len(recent)

    def hear(self, step: Step, /) -> None:
        """Pass the step on, and write the page when it is time or a check has come."""
        self.report(step)
        if step.stage == "train":
            self._newest = step
        if step.stage == "check" or time.monotonic() - self._written > EVERY:
            self._try_to_write()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Around the training: says where the page is, and on the page when it stopped before the end."""
        self._try_to_write()
        self.report(Step("page", message=str(self.path)))
        try:
            yield
        except BaseException:
            self._try_to_write(["stopped before the end; the same command goes on"], has_ended=True)
            raise

    def end(self, said: Sequence[str], weights: Mapping[int, float] | None = None) -> None:
        """The last writing: sentences about what was kept, and the shares of the checkpoints in it."""
        self._try_to_write(said, weights or {}, has_ended=True)

    def _try_to_write(
        self, said: Sequence[str] = (), weights: Mapping[int, float] | None = None, *, has_ended: bool = False
    ) -> None:
        """A page that cannot be written ends no training: that is said, and tried again later."""
        try:
            self._write(said, weights or {}, has_ended=has_ended)
        except OSError as error:
            self.report(Step("page", message=f"{self.path} could not be written ({error})"))
        self._written = time.monotonic()

    def _known(self) -> dict[int, float]:
        """Losses of the run so far: those after the checkpoint it goes on from come again, and are the same."""
        path = self.watch.folder / LOSSES
        return {step: loss for step, loss in read_json(path)} if path.is_file() else {}

    def _write(self, said: Sequence[str], weights: Mapping[int, float], *, has_ended: bool) -> None:
        losses = sorted(self._losses.items())
        write_json(self.watch.folder / LOSSES, losses)
        view = TrainingView(
            self.title,
            max([self._newest.done, *(check.step for check in self.watch.checks)]),
            self.watch.total,
            self._newest.remaining,
            datetime.now().strftime("%H:%M:%S"),
            curves(losses, self.watch),
            rows(self.watch, self.path.parent, weights),
            said,
            has_ended,
        )
        write_atomic(self.path, training_page(view).encode())


def curves(losses: Sequence[Point], watch: Watch) -> dict[str, list[Line]]:
    """The page's charts: losses by step, and the measures of the base alone, at 0, and of the checkpoints."""
    checks = [*([watch.bare] if watch.bare else []), *sorted(watch.checks, key=lambda check: check.step)]
    validation = [(c.step, c.validation_loss) for c in checks if c.validation_loss is not None]
    distances = [
        Line(PLACES[kind], [(c.step, d) for c in checks if (d := c.distance_of(kind)) is not None]) for kind in KINDS
    ]
    return {
        "Loss": [Line("of the training", thinned(losses), has_dots=False)],
        "Validation loss": [Line("fixed noise and levels", validation)],
        "Distance": distances,
    }


def rows(watch: Watch, page: Path, weights: Mapping[int, float]) -> list[CheckRow]:
    """What the base drew alone, each checkpoint, and the fusion once it is measured. weights: of what was kept."""
    made = [_row(watch, page, BARE, "without the LoRA", watch.bare)] if watch.bare else []
    for check in sorted(watch.checks, key=lambda check: check.step):
        share = weights.get(check.step)
        fate = "" if share is None else "kept" if len(weights) == 1 else f"{share:.0%} of the fusion"
        made.append(_row(watch, page, name_of(check.step), f"step {check.step}", check, fate))
    if weights and watch.fusion is not None:
        made.append(_row(watch, page, FUSION, "fusion", watch.fusion, "kept" if len(weights) > 1 else "not kept"))
    return made


def _row(watch: Watch, page: Path, name: str, title: str, check: Check, fate: str = "") -> CheckRow:
    scores = {score.number: score for score in check.scores}
    shots = []
    for number, path in enumerate(watch.pictures(name)):
        score, words = scores.get(number), ""
        if score is not None:
            words = "no face" if score.distance is None else f"{score.distance:.3f}"
            words += " in a template" if score.kind == "template" else ""
            words += ", a copy" if score.is_copy else ""
        shots.append(Shot(path.relative_to(page).as_posix(), words, score is not None and score.is_copy))
    return CheckRow(title, check.sentence, shots, fate)
