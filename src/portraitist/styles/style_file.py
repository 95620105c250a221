"""A style as a YAML file: read strictly, written whole."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from portraitist.errors import ConfigError, InputError
from portraitist.library import write_atomic
from portraitist.options import value_type
from portraitist.styles.style import KEY, Style

MAX_BYTES = 100_000
"""A style is a page of text; what is larger is something else."""
Row = TypeVar("Row")


def read_style(path: Path) -> Style:
    """The style in a file, which is called KEY.yaml.

    Raises ConfigError, naming the file and the key, for what a style does not have, for a value of another type or out
    of its range, and for a file that is not YAML.
    """
    values = _mapping(path.name, _document(path))
    style = _build(Style, values, path.name)
    if style.key != path.stem:
        raise ConfigError(f"{path.name}: key: expected {path.stem!r} as the file is called, found {style.key!r}")
    lora = style.lora
    if lora is None or lora.hub != "file" or Path(lora.file).is_absolute():
        return style
    return replace(style, lora=replace(lora, file=str(path.parent / lora.file)))


def checked_target(path: Path) -> str:
    """The key of a style that is to be written to this file. Raises InputError when it cannot be."""
    if path.suffix != ".yaml" or not KEY.fullmatch(path.stem):
        raise InputError(f"{path.name}: expected KEY.yaml, the key of small letters, digits and single hyphens")
    if path.exists():
        raise InputError(f"{path}: expected no file yet; choose another name, or remove it first")
    return path.stem


def write_style(path: Path, style: Style) -> Path:
    """Write a new file; what has its default is left out. Raises InputError where `checked_target` does."""
    checked_target(path)
    text = yaml.safe_dump(to_plain(style), allow_unicode=True, sort_keys=False, width=110)
    return write_atomic(path, text.encode())


def to_plain(row: Any) -> dict[str, Any]:
    """The fields of a style, or of a part of one, that differ from their default, as YAML and JSON take them."""
    plain = {}
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if field.default is not dataclasses.MISSING and value == field.default:
            continue
        value = list(value) if isinstance(value, tuple) else value
        plain[field.name] = to_plain(value) if dataclasses.is_dataclass(value) else value
    return plain


def _document(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path.name}: expected a style of at most {MAX_BYTES:,} bytes, found more")
        return yaml.safe_load(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    # RecursionError: brackets nested by the thousand. ValueError: bytes that are no UTF-8, dates that are none.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found = " ".join(str(error).split())[:160]
        raise ConfigError(f"{path.name}: expected YAML in UTF-8, found something else ({found})") from error


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{where}: expected keys with values, found {_shown(value)}")
    return value


def _build(row: type[Row], values: Mapping[str, Any], where: str) -> Row:
    fields = {field.name: field for field in dataclasses.fields(row)}  # type: ignore[arg-type]
    allowed = ", ".join(fields)
    for name in values:
        if name not in fields:
            raise ConfigError(f"{where}: unknown key {name!r}; allowed are {allowed}")
    missing = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in values]
    if missing:
        raise ConfigError(f"{where}: expected the key {missing[0]!r}, which is missing; allowed are {allowed}")
    hints = typing.get_type_hints(row)
    plain = {name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()}
    try:
        return row(**plain)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """The value as its field wants it; ConfigError when it is of another type."""
    if value is None and isinstance(hint, types.UnionType):
        return None
    kind = value_type(hint)
    if dataclasses.is_dataclass(kind):
        return _build(kind, _mapping(where, value), where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list, found {_shown(value)}")
        return tuple(_value(kind, item, where) for item in value)
    # An integer will do for a float, but true is not 1.
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise ConfigError(f"{where}: expected {_NAMES[kind]}, found {_shown(value)}")
    return kind(value)


_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]
