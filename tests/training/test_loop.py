"""The training loop: the same bits after a kill, refusals that teach, a stop at NaN, nothing lost on a full disk."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from portraitist.errors import ConfigError, EngineError
from portraitist.training import checkpoint as checkpoints
from portraitist.training.config import LoopConfig
from portraitist.training.loop import Pace, Run, run
from portraitist.training.schedule import ema_decay, learning_rate

CONFIG = LoopConfig(learning_rate=1e-2, warm_up=3, seed=5)


class Line:
    """Fits y = 2 x by a linear layer with dropout: enough to need every kind of random number."""

    def __init__(self, *, breaks_at: int = -1, size: int = 4) -> None:
        torch.manual_seed(0)
        self.module = torch.nn.Sequential(torch.nn.Linear(size, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, size))
        self.breaks_at, self.size = breaks_at, size
        self.rates: dict[str, float] = {}

    @property
    def settings(self) -> dict[str, object]:
        return {"size": self.size}

    def loss(self, step: int) -> torch.Tensor:
        x = torch.randn(16, self.size)
        loss = (self.module(x) - 2 * x).square().mean()
        return loss * math.nan if step == self.breaks_at else loss


def weights_of(state: Run) -> dict[str, torch.Tensor]:
    """All weights of a run, averaged ones too."""
    both = {f"average.{k}": v for k, v in state.average.state_dict().items()}
    return both | dict(state.trainee.module.state_dict())


def test_a_resumed_run_reaches_the_same_bits(tmp_path: Path) -> None:
    whole = run(Line(), tmp_path / "whole", CONFIG, Pace(20, save_every=5))
    run(Line(), tmp_path / "parts", CONFIG, Pace(7, save_every=5))
    resumed = run(Line(), tmp_path / "parts", CONFIG, Pace(20, save_every=5))
    assert resumed.step == whole.step == 20
    expected = weights_of(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(resumed).items())


def test_a_sheet_changes_no_bit(tmp_path: Path) -> None:
    def sheet(state: Run) -> None:
        with state.evaluated() as average:
            average(torch.randn(2, 4))

    plain = run(Line(), tmp_path / "plain", CONFIG, Pace(6))
    drawn = run(Line(), tmp_path / "drawn", CONFIG, Pace(6, sheet_every=2), sheet=sheet)
    expected = weights_of(plain)
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(drawn).items())


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    losses = run(Line(), tmp_path, LoopConfig(learning_rate=1e-2, warm_up=0), Pace(200)).losses
    assert sum(losses[-20:]) < 0.7 * sum(losses[:20])


def test_a_part_can_learn_at_another_rate(tmp_path: Path) -> None:
    still = Line()
    still.rates = {"0.": 0.0}
    before = still.module[0].weight.clone(), still.module[2].weight.clone()
    run(still, tmp_path, LoopConfig(warm_up=0, weight_decay=0), Pace(5))
    assert torch.equal(still.module[0].weight, before[0])
    assert not torch.equal(still.module[2].weight, before[1])


def test_only_the_two_newest_checkpoints_stay(tmp_path: Path) -> None:
    run(Line(), tmp_path, CONFIG, Pace(20, save_every=5))
    assert [p.stem for p in checkpoints.checkpoints(tmp_path)] == ["checkpoint-0000015", "checkpoint-0000020"]


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    run(Line(), tmp_path, CONFIG, Pace(5, save_every=5))
    with pytest.raises(ConfigError, match=r"learning_rate was 0\.01, now 0\.02"):
        run(Line(), tmp_path, LoopConfig(learning_rate=2e-2, warm_up=3, seed=5), Pace(9))
    with pytest.raises(ConfigError, match="size was 4, now 6"):
        run(Line(size=6), tmp_path, CONFIG, Pace(9))


def test_nan_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="step 8"):
        run(Line(breaks_at=7), tmp_path, CONFIG, Pace(20, save_every=5))
    newest = checkpoints.checkpoints(tmp_path)[-1]
    assert newest.stem == "checkpoint-0000005"
    assert run(Line(), tmp_path, CONFIG, Pace(8)).step == 8


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    run(Line(), tmp_path, CONFIG, Pace(10, save_every=5))
    newest = checkpoints.checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    state = run(Line(), tmp_path, CONFIG, Pace(6, save_every=0))
    assert state.step == 6
    for path in checkpoints.checkpoints(tmp_path):
        path.write_bytes(b"nothing")
    with pytest.raises(EngineError, match="none of 2 checkpoints"):
        run(Line(), tmp_path, CONFIG, Pace(6))


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(Line(), tmp_path, CONFIG, Pace(5, save_every=5))

    def full(path: Path, data: bytes) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_atomic", full)
    with pytest.raises(EngineError, match="Free some space"):
        run(Line(), tmp_path, CONFIG, Pace(10, save_every=5))
    monkeypatch.undo()
    assert run(Line(), tmp_path, CONFIG, Pace(10, save_every=5)).step == 10


def test_a_run_can_be_stopped_after_a_checkpoint(tmp_path: Path) -> None:
    state = run(Line(), tmp_path, CONFIG, Pace(50, save_every=5), should_stop=lambda state: state.step >= 10)
    assert state.step == 10


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Kill -9 in the middle of the steps; the second process goes on from the newest whole checkpoint."""
    script = (
        "import sys; sys.path[:0] = [sys.argv[2], sys.argv[3]]\n"
        "from tests.training.test_loop import CONFIG, Line\n"
        "from portraitist.training.loop import Pace, run\n"
        "from pathlib import Path\n"
        "def tell(step): sys.stdout.write(f'{step.done}\\n'); sys.stdout.flush()\n"
        "run(Line(), Path(sys.argv[1]), CONFIG, Pace(100000, save_every=3), report=tell)\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(tmp_path / "killed"), str(root), str(root / "src")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 20:
                os.kill(process.pid, signal.SIGKILL)
                break
    resumed = run(Line(), tmp_path / "killed", CONFIG, Pace(200, save_every=50))
    whole = run(Line(), tmp_path / "whole", CONFIG, Pace(200, save_every=50))
    expected = weights_of(whole)
    assert resumed.step == 200
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(resumed).items())


class EightBit(torch.optim.AdamW):
    """Keeps its memory as bitsandbytes does: steps in a plain number, bytes, one table for all parameters."""

    def __init__(self, groups: list[dict[str, Any]], config: LoopConfig) -> None:
        super().__init__(groups)
        self.table = torch.linspace(-1, 1, 256)

    def step(self, closure: object = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                memory = self.state[p]
                if not memory:
                    memory |= {"step": 0, "state1": torch.zeros_like(p, dtype=torch.uint8), "qmap1": self.table}
                assert type(memory["step"]) is int
                memory["step"] += 1
                memory["state1"] = (memory["state1"] + (p.grad > 0)) % 200
                with torch.no_grad():
                    p -= group["lr"] * memory["qmap1"][memory["state1"].long()] / memory["step"]


def test_an_8_bit_optimiser_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = run(Line(), tmp_path / "whole", CONFIG, Pace(12, save_every=4), build_optimizer=EightBit)
    run(Line(), tmp_path / "parts", CONFIG, Pace(8, save_every=4), build_optimizer=EightBit)
    resumed = run(Line(), tmp_path / "parts", CONFIG, Pace(12, save_every=4), build_optimizer=EightBit)
    expected = weights_of(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(resumed).items())


def test_the_rate_rises_then_falls() -> None:
    config = LoopConfig(learning_rate=1.0, warm_up=10, decay_after=100)
    assert learning_rate(4, config) == pytest.approx(0.5)
    assert learning_rate(50, config) == 1.0
    assert learning_rate(400, config) == pytest.approx(0.5)
    assert learning_rate(400, LoopConfig(learning_rate=1.0, warm_up=0, decay_after=0)) == 1.0


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_the_average_has_the_width_it_says(width: float) -> None:
    """Weights of the window over 4,000 steps: their standard deviation over the time trained is the width."""
    count = 4000
    decays = [ema_decay(step, width) for step in range(count)]
    weights, left = [], 1.0
    for decay in reversed(decays):
        weights.append(left * (1 - decay))
        left *= decay
    times = torch.arange(count, 0, -1, dtype=torch.float64) / count
    share = torch.tensor(weights, dtype=torch.float64)
    mean = (share * times).sum() / share.sum()
    spread = ((share * (times - mean) ** 2).sum() / share.sum()).sqrt()
    assert float(spread) == pytest.approx(width, rel=0.02)
    assert decays[0] == 0.0


@pytest.mark.parametrize("changes", [{"learning_rate": 0.0}, {"ema_width": 0.5}, {"accumulation": 0}, {"beta2": 1.0}])
def test_values_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        LoopConfig(**changes)  # type: ignore[arg-type]
