"""Ways of learning that the benchmark compares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("peft", reason="needs portraitist[diffusion]")

from benchmarks.identity_ablations import ABLATIONS, Way, learning, painted_white, ways
from portraitist.diffusion.bases import find_base
from portraitist.errors import EngineError
from portraitist.identity import dataset
from portraitist.identity.dataset import TrainingPhoto


def test_white_where_the_loss_hardly_counts() -> None:
    weight = np.array([[1.0, 0.05]], np.float32)
    painted = painted_white(TrainingPhoto(np.full((1, 2, 3), 7, np.uint8), weight, "portrait", "digest"))
    assert painted.image[0, 0].tolist() == [7, 7, 7]
    assert painted.image[0, 1].tolist() == [255, 255, 255]
    assert (painted.weight == 1).all()


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_ways_differ(ablation: str) -> None:
    found = list(ways(ablation, Path("prior.safetensors")).values())
    assert all(one != other for i, one in enumerate(found) for other in found[:i])


def test_a_way_that_was_not_taken_is_an_error() -> None:
    made = dataset.training_photo
    with pytest.raises(EngineError, match="painted"), learning(Way(painted=True)):
        assert dataset.training_photo is not made
    assert dataset.training_photo is made


def test_other_modules_and_guidance_are_those_of_the_base_meanwhile() -> None:
    usual = find_base("mini")
    with learning(Way(modules=("to_q",), guidance=3.0)):
        changed = find_base("mini")
        assert changed.lora[0].modules == ("to_q",)
        assert changed.lora[1:] == usual.lora[1:]
        assert changed.sampling.guidance_scale == 3.0
    assert find_base("mini") == usual
