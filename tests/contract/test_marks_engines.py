"""What every engine of the task `marks` promises: one row of this matrix for each of its rows.

An engine of a new package joins by adding its config to `configs`; a row without one fails the first test.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist import registry
from portraitist.errors import PlacementError
from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import KINDS
from portraitist.marks.network_config import TINY, MarkNetworkConfig
from portraitist.marks.view import SkinView
from portraitist.placement import Placement
from tests.marks.drawn_views import drawn

NAMES = tuple(registry.TASKS["marks"])
HERE = Placement(threads=1)
pytestmark = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def configs(name: str, tmp_path: Path) -> dict[str, Any]:
    """That of the engine asked for."""
    if name == "classical":
        return {name: importlib.import_module("portraitist.marks.config").ClassicalConfig()}
    return {name: _network_config(tmp_path)} if name == "network" else {}


def _network_config(folder: Path) -> MarkNetworkConfig:
    """The network's weights are random, and nearly everything passes for a mole, so that it finds something."""
    torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
    from portraitist.marks.network_export import to_onnx
    from portraitist.marks.network_layers import MarkNetwork

    torch.manual_seed(2)
    path = folder / "marks.onnx"
    path.write_bytes(to_onnx(MarkNetwork(TINY), {}))
    return MarkNetworkConfig(network_file=str(path), mole_score=0.01, spot_score=0.01)


@pytest.fixture(scope="module")
def view() -> SkinView:
    """A drawn face with moles and wrinkles."""
    return drawn(4, side=384, marks=8, lines=2).view


def _found(name: str, configs: dict[str, Any], view: SkinView, seed: int = 0) -> list[FoundMark]:
    return list(registry.build("marks", name, configs[name], HERE)(view, seed=seed))


def _plain(marks: list[FoundMark]) -> list[tuple[Any, ...]]:
    return [(mark.kind, mark.points.tolist(), mark.diameter, mark.score) for mark in marks]


def test_the_row_is_in_the_matrix(name: str, configs: dict[str, Any]) -> None:
    assert name in configs, "add the engine's config to configs, so that its promises are checked"


def test_only_a_device_it_can_use(name: str, configs: dict[str, Any]) -> None:
    with pytest.raises(PlacementError, match="cuda"):
        registry.build("marks", name, configs[name], Placement("cuda"))


def test_marks_are_on_the_skin_and_surest_first(name: str, configs: dict[str, Any], view: SkinView) -> None:
    found = _found(name, configs, view)
    assert found, "there are eight moles"
    scores = [mark.score for mark in found]
    assert scores == sorted(scores, reverse=True)
    for mark in found:
        assert mark.kind in KINDS
        assert mark.points.dtype == np.float32
        assert mark.points.shape[1:] == (2,)
        assert (len(mark.points) > 1) == (mark.kind == "wrinkle")
        assert 0 <= mark.score <= 1
        assert 0 < mark.diameter < view.side
        if mark.kind != "wrinkle":
            x, y = np.round(mark.points[0]).astype(int)
            assert view.skin[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].max() > 0


def test_the_same_view_gives_the_same_marks(
    name: str, configs: dict[str, Any], view: SkinView, capsys: pytest.CaptureFixture[str]
) -> None:
    before = view.pixels.copy(), view.skin.copy()
    first = _plain(_found(name, configs, view))
    assert first == _plain(_found(name, configs, view, seed=7)), "nothing is drawn at random"
    engine = registry.build("marks", name, configs[name], HERE)
    list(engine(drawn(9, side=256).view))
    assert _plain(list(engine(view))) == first, "what it keeps of a view never leaks into the next"
    assert np.array_equal(view.pixels, before[0])
    assert np.array_equal(view.skin, before[1])
    assert capsys.readouterr() == ("", "")


def test_without_skin_nothing_is_found(name: str, configs: dict[str, Any], view: SkinView) -> None:
    hidden = SkinView(view.pixels, np.zeros_like(view.skin), view.face, view.matrix)
    assert _found(name, configs, hidden) == []
