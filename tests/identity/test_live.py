"""The live page of a training: written at every check, ended when it ends, and its losses survive a kill."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.errors import EngineError
from portraitist.identity import live
from portraitist.identity import train as training
from portraitist.identity import watch as watching
from portraitist.identity.checks import Check, PortraitScore
from portraitist.identity.live import LOSSES, PAGE
from portraitist.identity.train import Outcome, Trainer
from portraitist.progress import Step
from tests.identity.test_train import Lesson, photos, preview_of, trainee, trainer
from tests.pages.test_training import Page


def page_of(folder: Path) -> Page:
    return Page((folder / PAGE).read_text(encoding="utf-8"))


def refreshes(page: Page) -> bool:
    return any(meta.get("http-equiv") == "refresh" for meta in page.all("meta"))


def test_it_is_there_from_the_start_and_grows_with_each_check(tmp_path: Path) -> None:
    seen: dict[tuple[str, int], Page] = {}
    made = trainee()

    def report(step: Step) -> None:
        seen[step.stage, step.done] = page_of(tmp_path)

    watched = trainer(tmp_path, made, preview=preview_of(made))
    watched.report = report
    watched.run(8, 1)
    assert refreshes(seen["page", 0])
    # The report is told before the page is written: at step 5 the check of step 4 is on it.
    images = [image["src"] for image in seen["train", 5].all("img")]
    assert images == ["checks/bare.00.png", "checks/check-000004.00.png"]
    assert all((tmp_path / str(src)).is_file() for src in images)
    last = page_of(tmp_path)
    assert not refreshes(last)
    assert "ended at step 8" in last.words
    assert len(last.all("polyline")) == 2
    assert "kept: step" in last.words


def test_it_says_what_was_fused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, distances = trainee(), iter([0.70, 0.55, 0.50, 0.52, 0.4])

    def scores(*args: object) -> tuple[PortraitScore, ...]:
        distance = next(distances)
        return tuple(PortraitScore(i, distance + 0.01 * i, 0.1 if i else -0.1, 1.0) for i in range(2))

    monkeypatch.setattr(training, "score_portraits", scores)
    lesson = Lesson(made.photos, photos(count=1), compared=(None,), trained=())  # type: ignore[arg-type]
    outcome = Trainer(made, lesson, tmp_path, preview_of(made), object()).run(12, 1)  # type: ignore[arg-type]
    assert outcome.is_fused
    page = page_of(tmp_path)
    for share in outcome.weights.values():
        assert f"{share:.0%} of the fusion" in page.words
    assert "checks/fusion.00.png" in [image["src"] for image in page.all("img")]
    assert "distance 0.405 against 0.505" in page.words
    assert len(page.all("polyline")) == 3


def losses_of(folder: Path) -> list[list[float]]:
    found: list[list[float]] = json.loads((folder / "checks" / LOSSES).read_text())
    return found


def test_the_curve_goes_on_after_a_stop(tmp_path: Path) -> None:
    def once(folder: Path, steps: int) -> Outcome:
        return trainer(folder, trainee()).run(steps, 1)

    once(tmp_path / "whole", 12)
    once(tmp_path / "parts", 8)
    once(tmp_path / "parts", 12)
    assert [step for step, _ in losses_of(tmp_path / "parts")] == list(range(1, 13))
    assert losses_of(tmp_path / "parts") == losses_of(tmp_path / "whole")


def test_a_run_that_breaks_stops_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainee()
    monkeypatch.setattr(made, "loss", lambda step: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trainer(tmp_path, made).run(4, 1)
    page = page_of(tmp_path)
    assert not refreshes(page)
    assert "stopped before the end" in page.words


def test_a_page_that_cannot_be_written_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(live, "write_atomic", full)
    said: list[str] = []
    watched = trainer(tmp_path, trainee())
    watched.report = lambda step: said.append(step.message) if step.stage == "page" else None
    assert watched.run(4, 1) is not None
    assert any("could not be written" in message for message in said)


def test_a_full_disk_at_a_check_is_said_and_costs_only_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(watching, "write_lora", full)
        with pytest.raises(EngineError, match="no room for the LoRA of a check"):
            trainer(tmp_path, trainee()).run(8, 1)
    outcome = trainer(tmp_path, trainee()).run(8, 1)
    assert outcome is not None
    assert [check.step for check in outcome.checks] == [4, 8]


def test_a_check_tells_its_measures() -> None:
    scores = (PortraitScore(0, 0.5, -0.1, 1.0), PortraitScore(1, 0.3, 0.1, 1.0, "template"))
    assert (
        Check(1, 0.25, scores).sentence
        == "distance 0.500 in words, 0.300 in templates, copies 1; validation loss 0.2500"
    )
    assert Check(1, None).sentence == ""
