"""Every engine row can be imported; unknown names and clashes are refused."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import Any

import pytest

from portraitist import registry
from portraitist.errors import EngineError

ROWS = [(task, name) for task, rows in registry.TASKS.items() for name in rows]


@pytest.mark.parametrize(("task", "name"), ROWS)
def test_every_row_imports(task: str, name: str) -> None:
    assert callable(registry.builder(task, name))


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(EngineError, match="compose"):
        registry.builder("shoot", "magic")
    with pytest.raises(EngineError, match="shoot"):
        registry.engines("nothing")


def _entries(*entries: SimpleNamespace) -> Any:
    return lambda group: list(entries)


def test_other_packages_add_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = SimpleNamespace(name="shoot.mine", value="json:loads")
    monkeypatch.setattr(importlib.metadata, "entry_points", _entries(mine))
    assert registry.builder("shoot", "mine")("[1]") == [1]


def test_a_name_clash_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = SimpleNamespace(name="shoot.compose", value="json:loads")
    monkeypatch.setattr(importlib.metadata, "entry_points", _entries(theirs))
    with pytest.raises(EngineError, match="claimed"):
        registry.engines("shoot")


def test_what_an_engine_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = SimpleNamespace(name="shoot.far", value="no_such_package_anywhere:build")
    monkeypatch.setattr(importlib.metadata, "entry_points", _entries(missing))
    with pytest.raises(EngineError, match="no_such_package_anywhere"):
        registry.builder("shoot", "far")
