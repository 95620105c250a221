"""Several processes train as one does: the same weights, one set of files, one stop for all. Real ones, on the CPU."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("accelerate", reason="needs portraitist[diffusion]")

from safetensors.torch import load_file

from portraitist.errors import PlacementError
from portraitist.placement import Placement
from portraitist.training.checkpoint import Checkpoint, checkpoints, packed, unpacked
from portraitist.training.loop import Pace, run
from portraitist.training.processes import ALONE, Processes
from tests.training.test_loop import CONFIG, Line, weights_of
from tests.training.together import finish, start, together

LINES = "tests.training.lines"


def _alone(folder: Path, steps: int, accumulation: int) -> dict[str, torch.Tensor]:
    config = replace(CONFIG, accumulation=accumulation)
    return weights_of(run(Line(), folder, config, Pace(steps, save_every=5)))


def _largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes made of four runs, one after the other."""
    folder = tmp_path_factory.mktemp("together")
    runs = (("whole", 12, 4, -1), ("few", 6, 1, -1), ("nan", 20, 4, 29), ("few", 9, 4, -1))
    first, second = start(LINES, folder, *(part for asked in runs for part in asked))
    (folder / "told.txt").write_text(first.stdout.read() if first.stdout is not None else "")
    (folder / "told-1.txt").write_text(second.stdout.read() if second.stdout is not None else "")
    ended = finish([first, second])
    assert [code for code, _ in ended] == [0, 0], ended
    return folder


def test_two_train_as_one(shared: Path, tmp_path: Path) -> None:
    """Four passes a step, two each, from one beginning: the same weights on both, and those of one process."""
    ours = [load_file(shared / "whole" / f"weights-{index}.safetensors") for index in range(2)]
    assert all(torch.equal(value, ours[1][name]) for name, value in ours[0].items())
    assert _largest_difference(ours[0], _alone(tmp_path / "alone", 12, 4)) < 1e-5
    assert _largest_difference(ours[0], _alone(tmp_path / "fewer", 11, 4)) > 1e-4


def test_only_the_main_one_writes_and_reports(shared: Path) -> None:
    written = sorted(path.name for path in (shared / "whole" / "run").iterdir())
    assert written == ["checkpoint-0000010.safetensors", "checkpoint-0000012.safetensors", "log.jsonl"]
    assert len((shared / "whole" / "run" / "log.jsonl").read_text().splitlines()) == 3
    assert "12 loss" in (shared / "told.txt").read_text()
    assert (shared / "told-1.txt").read_text() == ""


def test_every_process_has_a_pass_and_it_is_said(shared: Path, tmp_path: Path) -> None:
    assert "accumulation 2 instead of 1" in (shared / "told.txt").read_text()
    ours = load_file(shared / "few" / "weights-0.safetensors")
    assert _largest_difference(ours, _alone(tmp_path / "alone", 6, 2)) < 1e-5


def test_what_one_cannot_count_stops_both(shared: Path) -> None:
    """Pass 29 is the second of step 8's four, so the second process's."""
    for index in range(2):
        message = (shared / "nan" / f"error-{index}.txt").read_text()
        assert "the loss is nan" in message
        assert "step 8" in message
    assert [path.stem for path in checkpoints(shared / "nan" / "run")] == ["checkpoint-0000005"]


def test_an_error_of_the_main_one_is_everybodys(shared: Path) -> None:
    for index in range(2):
        assert "accumulation was 2, now 4" in (shared / "few" / f"error-{index}.txt").read_text()


def test_after_a_kill_the_others_end_and_the_run_goes_on(tmp_path: Path) -> None:
    runs = start(LINES, tmp_path, "killed", 100_000, 2, -1)
    assert runs[0].stdout is not None
    for line in runs[0].stdout:
        if int(line.split()[0]) >= 12:
            os.kill(runs[1].pid, signal.SIGKILL)
            break
    finish(runs)
    assert "lost the other processes" in (tmp_path / "killed" / "error-0.txt").read_text()
    newest = checkpoints(tmp_path / "killed" / "run")[-1]
    steps = int(newest.stem.removeprefix("checkpoint-")) + 5
    ended = together(LINES, tmp_path, "killed", steps, 2, -1)
    assert [code for code, _ in ended] == [0, 0], ended
    ours = load_file(tmp_path / "killed" / "weights-1.safetensors")
    assert _largest_difference(ours, _alone(tmp_path / "alone", steps, 2)) < 1e-5


def test_one_process_imports_and_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = Processes.join(Placement("cuda"))
    assert alone == ALONE
    assert list(alone.passes(3)) == [0, 1, 2]
    assert alone.place(Placement("cuda", 3)) == Placement("cuda", 3)
    assert alone.from_main(lambda: b"x") == b"x"
    assert not torch.distributed.is_initialized()


def test_each_process_has_a_gpu_of_its_own() -> None:
    second = Processes(2, 1, 1, "cuda:1")
    assert second.place(Placement("cuda", 3)) == Placement("cuda:1", 3)
    assert second.place(None).device == "cuda:1"
    assert Processes(2, 1, 1, "cpu").place(None) == Placement()
    assert [list(Processes(3, index).passes(4)) for index in range(3)] == [[0, 3], [1], [2]]


def test_a_device_that_cannot_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(PlacementError, match="expected cpu or cuda for 2 processes, found 'mps'"):
        Processes.join(Placement("mps"))


def test_a_checkpoint_travels_as_bytes() -> None:
    sent = Checkpoint(3, {"weights.a": torch.arange(3.0)}, {"seed": 5})
    got = unpacked(packed(sent))
    assert (got.step, got.settings) == (3, {"seed": 5})
    assert torch.equal(got.tensors["weights.a"], sent.tensors["weights.a"])
