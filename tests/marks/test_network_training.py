"""A few marks are learned in seconds; a stopped run reaches the same bits; the file says what the module says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from portraitist.errors import ConfigError, InputError
from portraitist.marks.labelled import LabelledFolder
from portraitist.marks.network_config import SHIPPED_SIZE, TINY, MarkNetworkConfig, MarkNetworkSize, MarkTrainingConfig
from portraitist.marks.network_crops import draw_crop
from portraitist.marks.network_layers import MarkNetwork
from portraitist.marks.network_targets import CHANNELS, RIDGE
from portraitist.marks.network_training import MarkTrainee, held_back, measure
from portraitist.training.loop import Pace, run
from tests.marks.drawn_views import drawn, drawn_folder

SMALL = MarkTrainingConfig(batch=4, crop=96, learning_rate=4e-3)


def _weights(folder: Path, steps: int, views: LabelledFolder, config: MarkTrainingConfig = SMALL) -> list[np.ndarray]:
    state = run(MarkTrainee(views, config, TINY), folder, config.loop, Pace(steps, 2))
    return [parameter.detach().numpy().copy() for parameter in state.trainee.module.parameters()]


def test_drawn_moles_are_learned_in_seconds(tmp_path: Path) -> None:
    views = drawn_folder(tmp_path / "views", 4, marks=10)
    config = MarkTrainingConfig(batch=3, crop=64, learning_rate=8e-3)
    state = run(MarkTrainee(views, config, TINY), tmp_path / "run", replace(config.loop, warm_up=5), Pace(100, 100))
    assert np.mean(state.losses[-20:]) < 0.4 * np.mean(state.losses[:10])
    with state.evaluated() as network:
        result = measure(network, [drawn(90, marks=10), drawn(91, marks=10)], MarkNetworkConfig())
    assert result.recall("mole") >= 0.8
    assert result.false_a_face <= 3
    assert result.median_error < 0.012


def test_a_stopped_run_reaches_the_same_bits(tmp_path: Path) -> None:
    views = drawn_folder(tmp_path / "views", 2)
    whole = _weights(tmp_path / "whole", 4, views)
    _weights(tmp_path / "parts", 2, views)
    parts = _weights(tmp_path / "parts", 4, views)
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))
    other = _weights(tmp_path / "other", 4, views, replace(SMALL, seed=43))
    assert not all(np.array_equal(one, another) for one, another in zip(whole, other, strict=True))


def test_a_run_with_other_views_is_not_gone_on_with(tmp_path: Path) -> None:
    views = drawn_folder(tmp_path / "views", 2)
    _weights(tmp_path / "run", 2, views)
    with pytest.raises(ConfigError, match="views"):
        _weights(tmp_path / "run", 4, drawn_folder(tmp_path / "views", 3))


def test_weights_can_be_begun_from(tmp_path: Path) -> None:
    views = drawn_folder(tmp_path / "views", 1)
    first = MarkTrainee(views, SMALL, TINY).module.state_dict()
    changed = {name: value + 1 for name, value in first.items()}
    again = MarkTrainee(views, SMALL, TINY, start=changed)
    assert all(torch.equal(value, changed[name]) for name, value in again.module.state_dict().items())
    assert again.settings["began_from"] != MarkTrainee(views, SMALL, TINY).settings["began_from"]


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(InputError, match="annotate"):
        MarkTrainee(LabelledFolder(), SMALL, TINY)


def test_the_shipped_network_is_small_and_quiet_at_first() -> None:
    torch.manual_seed(0)
    network = MarkNetwork(SHIPPED_SIZE)
    assert sum(parameter.numel() for parameter in network.parameters()) * 4 < 3_000_000
    maps = network(torch.randn(1, 4, 64, 96))
    assert maps.shape == (1, CHANNELS, 16, 24)
    assert float(maps[:, [0, 1, 2, 3, RIDGE]].mean().detach()) == pytest.approx(-4.6, abs=0.7)


def test_sizes_that_make_no_network_are_refused() -> None:
    with pytest.raises(ConfigError, match="widths"):
        MarkNetworkSize(widths=(8, 8))
    with pytest.raises(ConfigError, match="multiple"):
        MarkTrainingConfig(crop=100)


def test_a_crop_carries_its_marks_along() -> None:
    item = drawn(5, marks=12)
    for seed in range(6):
        crop = draw_crop(item, 128, np.random.default_rng(seed))
        grey = crop.pixels.astype(float).mean(2)
        for mark in crop.marks:
            x, y = np.round(mark.points[0]).astype(int)
            if 8 <= x < 120 and 8 <= y < 120:
                # Marks are darker than what is around them, wherever turn, scale and mirror put them.
                assert grey[y, x] < np.median(grey[y - 8 : y + 9, x - 8 : x + 9]) - 10


def test_photos_are_held_back_by_name() -> None:
    names = [f"{number}.jpg" for number in range(200)]
    back = held_back(names, 0.2)
    assert len(back) == 40
    assert len(held_back(names[:190], 0.2) & back) >= 36
    assert back != set(names[:40])
    assert held_back(["a.jpg"], 0.5) == set()
    assert len(held_back(["a.jpg", "b.jpg"], 0.0)) == 1
