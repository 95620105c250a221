"""A network gives its outputs, also when several threads call it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from portraitist.networks import LiteNetwork
from portraitist.weights import fetch


def test_outputs_are_copies_and_threads_do_not_mix() -> None:
    network = LiteNetwork(fetch("face-mesh"))
    random = np.random.default_rng(0)
    arrays = [random.random((1, 192, 192, 3), np.float32) for _ in range(4)]
    alone = [network(array)[0] for array in arrays]
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda array: network(array)[0], arrays * 3))
    for one, other in zip(alone * 3, together):
        assert np.array_equal(one, other)


def test_ncnn_is_imported_in_one_place_only() -> None:
    """Elsewhere it would be loaded with threads that spin: 13 s instead of 0.1 s on a busy machine."""
    source = Path(__file__).resolve().parents[1] / "src"
    direct = re.compile(r"^\s*(import ncnn|from ncnn)", re.MULTILINE)
    assert [path.name for path in source.rglob("*.py") if direct.search(path.read_text(encoding="utf-8"))] == []
