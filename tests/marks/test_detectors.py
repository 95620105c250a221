"""Detectors by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portraitist import registry
from portraitist.errors import EngineError
from portraitist.marks.classical import ClassicalDetector
from portraitist.marks.config import DETECTOR, ClassicalConfig
from portraitist.marks.detectors import load_detector
from portraitist.marks.network import NetworkDetector


def build_typed(config: ClassicalConfig, placement: Any, *, report: Any) -> Any:
    return config


def build_untyped(config, placement, *, report):  # type: ignore[no-untyped-def]
    return config


def test_an_engine_gets_the_usual_settings_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: f"{__name__}:build_{name}" for name in ("typed", "untyped")}
    monkeypatch.setitem(registry.TASKS, "marks", rows)
    assert load_detector("typed") == ClassicalConfig()  # type: ignore[comparison-overlap]
    with pytest.raises(EngineError, match="found no type"):
        load_detector("untyped")
    with pytest.raises(EngineError, match="known are typed"):
        load_detector("nobody")


def test_the_usual_one_is_the_trained_one_where_its_weights_can_be_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(load_detector(DETECTOR), NetworkDetector)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path))
    assert isinstance(load_detector(DETECTOR), ClassicalDetector)
