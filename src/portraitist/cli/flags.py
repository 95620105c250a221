"""Flags made from config dataclasses: name, type, range, unit and sentence are written once, in the config."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from portraitist.errors import ConfigError
from portraitist.options import from_mapping, value_type

Config = TypeVar("Config")


def add_flags(parser: argparse.ArgumentParser, config: type[Any], title: str, skip: Collection[str] = ()) -> None:
    """One flag a field, in a titled group of the help."""
    group = parser.add_argument_group(title)
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if field.name not in skip and field.metadata:
            _add_flag(group, field, hints[field.name])


def given(parsed: argparse.Namespace, config: type[Config], **more: Any) -> Config:
    """The config with the flags that were given; everything else keeps its default."""
    names = {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    values = {name: value for name, value in vars(parsed).items() if name in names}
    return from_mapping(config, {**values, **more})


def _add_flag(group: argparse._ArgumentGroup, field: dataclasses.Field[Any], hint: Any) -> None:
    flag = "--" + field.name.replace("_", "-")
    kind = value_type(hint)
    if kind is bool:
        action = argparse.BooleanOptionalAction
        group.add_argument(flag, action=action, default=argparse.SUPPRESS, help=describe(field))
        return
    group.add_argument(
        flag,
        type=_reader(kind),
        default=argparse.SUPPRESS,
        choices=field.metadata.get("choices") or None,
        nargs="+" if typing.get_origin(hint) is tuple else None,
        metavar=None if field.metadata.get("choices") else kind.__name__.upper(),
        help=describe(field),
    )


def describe(field: dataclasses.Field[Any]) -> str:
    """The field's sentence with its unit, range and default."""
    low, high, unit = (field.metadata.get(key) for key in ("low", "high", "unit"))
    parts = [f"{low:g} to {high:g}"] if low is not None and high is not None else []
    parts += [f"at least {low:g}"] if low is not None and high is None else []
    parts += [unit] if unit else []
    if field.default not in (None, "", (), dataclasses.MISSING):
        parts.append(f"default {field.default}")
    text: str = field.metadata.get("help", "") + (f" ({', '.join(parts)})" if parts else "")
    return text.replace("%", "%%")


def _reader(kind: type) -> Callable[[str], Any]:
    """argparse's type: a wrong number becomes a sentence."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except (ValueError, ConfigError) as error:
            raise argparse.ArgumentTypeError(f"expected {kind.__name__}, found {text!r}") from error

    return read
