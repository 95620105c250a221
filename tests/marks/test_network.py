"""The engine `network`: what the ONNX file gives is what the module gives, and without weights it says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from portraitist import registry
from portraitist.errors import PlacementError, WeightsError
from portraitist.marks.network import NetworkDetector, build
from portraitist.marks.network_config import SHIPPED_SIZE, TINY, MarkNetworkConfig, MarkNetworkSize
from portraitist.marks.network_export import to_onnx
from portraitist.marks.network_input import padded, prepared
from portraitist.marks.network_layers import MarkNetwork
from portraitist.marks.view import SkinView
from portraitist.placement import Placement
from tests.marks.drawn_views import drawn


def _network(size: MarkNetworkSize = TINY) -> MarkNetwork:
    torch.manual_seed(1)
    return MarkNetwork(size)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "marks.onnx"
    path.write_bytes(to_onnx(_network(), {"note": "test"}))
    return path


@pytest.mark.parametrize("size", [TINY, SHIPPED_SIZE])
@pytest.mark.parametrize("side", [64, 112])
def test_the_file_says_what_the_module_says(size: MarkNetworkSize, side: int, tmp_path: Path) -> None:
    network = _network(size)
    path = tmp_path / "marks.onnx"
    path.write_bytes(to_onnx(network, {}))
    view = drawn(1, side=side, marks=2).view
    with torch.no_grad():
        raw = network(torch.from_numpy(padded(prepared(view.pixels, view.skin), 16)[None]))[0].numpy()
    maps = NetworkDetector(path, MarkNetworkConfig()).maps(view)
    # The file keeps eleven bits of each weight.
    np.testing.assert_allclose(maps[6], raw[6], atol=5e-3)
    np.testing.assert_allclose(maps[:4], 1 / (1 + np.exp(-raw[:4])), atol=1e-3)


def test_the_engine_is_in_the_registry_and_yields_surest_first(file: Path) -> None:
    config = MarkNetworkConfig(network_file=str(file), mole_score=0.01, spot_score=0.01)
    engine = registry.build("marks", "network", config, Placement())
    view = drawn(2).view
    found = list(engine(view, seed=0))
    assert found
    scores = [mark.score for mark in found]
    assert scores == sorted(scores, reverse=True)
    again = [(mark.kind, mark.score) for mark in engine(view, seed=9)]
    assert again == [(mark.kind, mark.score) for mark in found]


def test_views_of_any_side_and_light_are_taken(file: Path) -> None:
    detector = NetworkDetector(file, MarkNetworkConfig())
    view = drawn(3, side=250).view
    assert detector.maps(view).shape == (9, 64, 64)
    darker = SkinView((view.pixels * 0.5).astype(np.uint8), view.skin, view.face, view.matrix)
    # The network sees contrast, so half the light changes little.
    assert np.abs(prepared(darker.pixels, view.skin) - prepared(view.pixels, view.skin)).mean() < 0.05


def test_without_weights_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="marks-detector"):
        build(MarkNetworkConfig(), Placement())


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    for name in ("text.onnx", "missing.onnx"):
        with pytest.raises(WeightsError, match=name):
            build(MarkNetworkConfig(network_file=str(tmp_path / name)), Placement())


def test_it_runs_on_the_cpu_only(file: Path) -> None:
    with pytest.raises(PlacementError, match="cpu"):
        build(MarkNetworkConfig(network_file=str(file)), Placement("cuda"))
