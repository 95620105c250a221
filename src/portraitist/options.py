"""Typed options: a frozen dataclass field with a sentence, a unit and a range.

CLI flags, HTTP schemas and forms are generated from these fields, so this file and every `config.py` import the
standard library only.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from portraitist.errors import ConfigError

Config = TypeVar("Config")


def option(
    default: Any,
    help: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    """A dataclass field whose metadata documents and bounds it. Call `check(self)` in `__post_init__`."""
    metadata = {"help": help, "unit": unit, "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def check(config: Any) -> None:
    """Raise ConfigError when a field of the dataclass instance is outside its range or choices."""
    for field in dataclasses.fields(config):
        _check_value(type(config).__name__, field, getattr(config, field.name))


def _check_value(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    choices = field.metadata.get("choices") or ()
    if value is None:
        return
    if choices and value not in choices:
        listed = ", ".join(map(str, choices))
        raise ConfigError(f"{owner}.{field.name}: expected one of {listed}; found {value!r}")
    # `not (low <= value)` rather than `value < low`: NaN must fail too.
    if (low is not None and not low <= value) or (high is not None and not value <= high):
        unit = field.metadata.get("unit", "")
        raise ConfigError(f"{owner}.{field.name}: expected {low} to {high} {unit}, found {value}")


def from_mapping(cls: type[Config], values: Mapping[str, Any]) -> Config:
    """Build the dataclass `cls` from a plain mapping (JSON, YAML, HTTP); keys unknown or lacking raise ConfigError.

    Lists become tuples where the field is a tuple, mappings become dataclasses where the field is one.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ConfigError(f"{cls.__name__}: unknown {', '.join(unknown)}; known are {', '.join(fields)}")
    lacking = [name for name, field in fields.items() if name not in values and _is_required(field)]
    if lacking:
        raise ConfigError(f"{cls.__name__}: lacks {', '.join(lacking)}")
    hints = typing.get_type_hints(cls)
    return cls(**{name: _plain(hints[name], value) for name, value in values.items()})


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _plain(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_mapping(hint, value)  # type: ignore[arg-type]
    if isinstance(value, list) and typing.get_origin(hint) is tuple:
        return tuple(value)
    return value


def to_mapping(config: Any) -> dict[str, Any]:
    """The configuration as a JSON-ready mapping: what a recipe stores."""
    return dataclasses.asdict(config)


def value_type(hint: Any) -> type:
    """The plain type behind a field's annotation: `float | None` is float, `tuple[str, ...]` is str."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return value_type(next(a for a in typing.get_args(hint) if a is not type(None)))
    if typing.get_origin(hint) is tuple:
        return value_type(typing.get_args(hint)[0])
    return hint if isinstance(hint, type) else str
