"""A painter's folder: what is written is read, and what is no painter is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from portraitist.errors import ConfigError, InputError, PlacementError, WeightsError
from portraitist.placement import Placement
from portraitist.stylize.painter import OnnxPainter
from portraitist.stylize.painter_file import CARD, NETWORK, read_painter, write_painter
from tests.stylize.tiny_painter import card, network, painter

HERE = Placement(threads=1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = painter(tmp_path / "swap", figures={"fps": 60.5}, stages=("student",))
    assert read_painter(tmp_path / "swap") == written
    assert len(written.card.sha256) == 64


def test_a_folder_without_a_painter(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a painter"):
        read_painter(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"side": 100},
        {"side": "big"},
        {"tier": "huge"},
        {"part": 9},
        {"lift": 200},
        {"colour": 1},
        {"made_from": [{"x": 1}]},
    ],
)
def test_a_wrong_card(tmp_path: Path, change: dict[str, object]) -> None:
    painter(tmp_path)
    record = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**record, **change}))
    with pytest.raises(InputError, match="painter's card"):
        read_painter(tmp_path)


def test_a_card_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="n x 32"):
        write_painter(tmp_path, b"", card(side=33), "")
    assert not list(tmp_path.iterdir())


def test_another_network_than_the_card_says(tmp_path: Path) -> None:
    painter(tmp_path)
    (tmp_path / NETWORK).write_bytes(network(np.ones((3, 3, 1, 1))))
    with pytest.raises(WeightsError, match="sha256"):
        read_painter(tmp_path)


def test_it_paints(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    painting = OnnxPainter(painter(tmp_path), HERE)(frame)
    assert np.array_equal(painting.image, frame[..., ::-1])
    assert painting.mask is None


def test_its_own_mask(tmp_path: Path) -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[:16, :, 0] = 255
    painting = OnnxPainter(painter(tmp_path, network(with_mask=True)), HERE)(frame)
    assert painting.mask is not None
    assert painting.mask[:16].min() == 1
    assert painting.mask[16:].max() == 0


@pytest.mark.parametrize("data", [b"", b"not a network", network(output="picture"), network(np.ones((2, 3, 1, 1)))])
def test_a_network_that_is_no_painter(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(WeightsError, match="export the painter again"):
        OnnxPainter(painter(tmp_path, data), HERE)


def test_only_on_the_cpu(tmp_path: Path) -> None:
    with pytest.raises(PlacementError, match="cuda"):
        OnnxPainter(painter(tmp_path), Placement("cuda"))
