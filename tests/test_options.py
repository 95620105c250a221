"""Options: ranges, choices and unknown keys are refused with a sentence; every config keeps the rules."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.errors import ConfigError
from portraitist.options import check, from_mapping, option, to_mapping, value_type

SOURCE = Path(__file__).resolve().parents[1] / "src" / "portraitist"


@dataclass(frozen=True)
class Inner:
    """A config inside another."""

    blur: float = option(0.5, "how soft", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Outer:
    """Every kind of field there is."""

    width: int = option(3, "how wide", unit="px", low=1)
    ratio: float | None = option(None, "height by width", high=2)
    mode: str = option("fast", "how", choices=("fast", "slow"))
    names: tuple[str, ...] = option((), "who")
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize("values", [{"width": 0}, {"ratio": 2.01}, {"ratio": math.nan}, {"width": math.nan}])
def test_out_of_range_is_refused(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigError, match=rf"Outer\.{name}: expected .* found"):
        Outer(**values)


def test_choices_are_listed() -> None:
    with pytest.raises(ConfigError, match="fast, slow; found 'quick'"):
        Outer(mode="quick")


def test_none_means_not_given() -> None:
    assert Outer(ratio=None).ratio is None


@given(st.integers(1, 10**6), st.none() | st.floats(-5, 2), st.lists(st.text(max_size=5)), st.floats(0, 1))
def test_a_mapping_round_trips_through_json(width: int, ratio: float | None, names: list[str], blur: float) -> None:
    config = Outer(width, ratio, "slow", tuple(names), Inner(blur))
    assert from_mapping(Outer, json.loads(json.dumps(to_mapping(config)))) == config


def test_unknown_keys_name_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Outer: unknown widht; known are width, ratio"):
        from_mapping(Outer, {"widht": 4})
    with pytest.raises(ConfigError, match="Inner: unknown blurr"):
        from_mapping(Outer, {"inner": {"blurr": 1}})


def test_a_mapping_is_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"Inner\.blur"):
        from_mapping(Outer, {"inner": {"blur": 7}})


@pytest.mark.parametrize(
    ("hint", "kind"), [(int, int), (float | None, float), (tuple[str, ...], str), (tuple[int, ...] | None, int)]
)
def test_the_type_behind_an_annotation(hint: Any, kind: type) -> None:
    assert value_type(hint) is kind


def _configs() -> list[type[Any]]:
    found = []
    for path in sorted(SOURCE.rglob("*config.py")):
        module = importlib.import_module(".".join(("portraitist", *path.relative_to(SOURCE).with_suffix("").parts)))
        found += [value for value in vars(module).values() if dataclasses.is_dataclass(value)]
    return list({id(config): config for config in found if isinstance(config, type)}.values())


@pytest.mark.parametrize("config", _configs(), ids=lambda config: config.__name__)
def test_every_config_of_the_project(config: type[Any]) -> None:
    """Frozen, built without arguments, a sentence a field, and each range is really looked at."""
    made = config()
    assert config.__dataclass_params__.frozen
    assert from_mapping(config, to_mapping(made)) == made
    for spec in dataclasses.fields(config):
        assert spec.metadata.get("help") or dataclasses.is_dataclass(getattr(made, spec.name)), spec.name
        if spec.metadata.get("high") is not None:
            with pytest.raises(ConfigError, match=spec.name):
                dataclasses.replace(made, **{spec.name: spec.metadata["high"] + 1})
        if spec.metadata.get("choices"):
            with pytest.raises(ConfigError, match=spec.name):
                dataclasses.replace(made, **{spec.name: "no such choice"})
