"""Two processes under `accelerate launch` learn a sitter as one does, on the tiny base."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")
pytest.importorskip("accelerate", reason="needs portraitist[diffusion]")

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora
from tests.identity.learners import PASSES, learner
from tests.training.together import launch


def largest_difference(one: Lora, other: Lora) -> float:
    """Between the entries of two LoRAs of the same modules."""
    assert one.modules.keys() == other.modules.keys()
    pairs = [pair for path in one.modules for pair in zip(one.modules[path], other.modules[path], strict=True)]
    return max(float((a - b).abs().max()) for a, b in pairs)


@pytest.mark.slow
def test_two_learn_a_sitter_as_one(tmp_path: Path) -> None:
    done = launch("tests.identity.learners", tmp_path / "two", 8)
    assert done.returncode == 0, done.stderr
    first, second, chosen = (
        read_lora(tmp_path / "two" / f"{name}.safetensors") for name in ("lora-0", "lora-1", "chosen")
    )
    assert largest_difference(first, second) == 0
    alone = learner(tmp_path / "one").run(8, PASSES)
    assert largest_difference(chosen, alone.lora) < 1e-5
    assert largest_difference(chosen, learner(tmp_path / "fewer").run(7, PASSES).lora) > 5e-5
    for folder in ("run", "checks"):
        names = [sorted(path.name for path in (tmp_path / who / folder).iterdir()) for who in ("two", "one")]
        assert names[0] == names[1]
