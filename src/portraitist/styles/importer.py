"""Styles of the older system, which are JSON: each becomes a Style, with a list of what could not come along."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist.errors import ConfigError, InputError
from portraitist.library import read_json
from portraitist.styles.style import Prompt, Style, StyleLora, split_phrases
from portraitist.styles.style_file import MAX_BYTES
from portraitist.styles.wording import people_named

KEYS = ("name", "model_id", "revision", "bin_file", "multiplier_style", "multiplier_human", "add_prompt_style")
_DEPTH = 4
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Imported:
    """A style, and one sentence for each thing of the file that it lacks."""

    style: Style
    left_out: tuple[str, ...]


def import_styles(path: Path) -> list[Imported]:
    """Every style of a JSON file: one object, a list of them, or objects nested up to four deep.

    A `model_id` is a repository of ModelScope, where the older system kept its files. Raises InputError when the file
    is missing, is not JSON, holds no style, or has a value that no style can take.
    """
    rows = list(_rows(_read(path), _DEPTH))
    if not rows:
        raise InputError(f"{path.name}: expected objects with {', '.join(KEYS)}; found no 'add_prompt_style' in it")
    return [_import(row, path) for row in rows]


def _read(path: Path) -> Any:
    if path.is_file() and path.stat().st_size > 10 * MAX_BYTES:
        raise InputError(f"{path.name}: expected a style of at most {10 * MAX_BYTES:,} bytes, found more")
    try:
        return read_json(path)
    except RecursionError as error:
        raise InputError(f"{path.name}: expected a style, found brackets nested by the thousand") from error


def _rows(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping) and "add_prompt_style" in value:
        yield value
    elif depth > 0 and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _rows(inner, depth - 1)


def _import(row: Mapping[str, Any], path: Path) -> Imported:
    left_out = [f"{key}: nothing here has a use for it ({_shown(row[key])})" for key in row if key not in KEYS]
    name, name_zh = _names(_text(row, "name", path) or path.stem)
    if not name_zh:
        left_out.append("no Chinese name in the file: the English one stands for both")
    words = _words(_text(row, "add_prompt_style", path), left_out)
    left_out.append("no sampler, steps or guidance in the file: the defaults stand for them")
    try:
        style = Style(
            key=_key(name, path),
            name=name,
            name_zh=name_zh or name,
            about=f"Imported from {path.name}.",
            prompt=Prompt("portrait photograph", finish=words),
            identity_weight=_number(row, "multiplier_human", 0.9, path),
            lora=_lora(row, path, left_out),
            source=path.name,
        )
    except ConfigError as error:
        raise InputError(f"{path.name}: {error}") from error
    return Imported(style, tuple(left_out))


def _words(prompt: str, left_out: list[str]) -> str:
    """The phrases that are about the look; those about who the sitter is stay behind."""
    kept = []
    for phrase in split_phrases(prompt):
        named = people_named(phrase)
        if named:
            left_out.append(f"'{phrase}' of the prompt: who the sitter is comes from the album ({', '.join(named)})")
        else:
            kept.append(phrase)
    return ", ".join(kept)


def _lora(row: Mapping[str, Any], path: Path, left_out: list[str]) -> StyleLora | None:
    repository, file = _text(row, "model_id", path), _text(row, "bin_file", path)
    if not repository and not file:
        left_out.append("no model_id and bin_file in the file: a style without a LoRA")
        return None
    if not _REPOSITORY.fullmatch(repository) or not file.endswith(".safetensors"):
        found = f"{repository or 'no model_id'}, {file or 'no bin_file'}"
        left_out.append(f"the LoRA ({found}): expected OWNER/NAME and a .safetensors file; convert it, then add it")
        return None
    weight = _number(row, "multiplier_style", 0.7, path)
    return StyleLora(file, weight, "modelscope", repository, _text(row, "revision", path))


def _names(name: str) -> tuple[str, str]:
    """(English, Chinese) of `中文(English)`, `English(中文)` or one name alone; Chinese is empty when there is none.

    >>> _names("模特风(Model style)")
    ('Model style', '模特风')
    """
    parts = [part.strip() for part in re.split(r"[()（）]", name) if part.strip()]
    chinese = [part for part in parts if re.search(r"[\u4e00-\u9fff]", part)]
    english = [part for part in parts if part not in chinese]
    return " ".join(english) or " ".join(chinese), " ".join(chinese)


def _key(name: str, path: Path) -> str:
    """Letters and digits of the English name, else of the file's name."""
    for text in (name, path.stem):
        key = "-".join(re.findall(r"[a-z0-9]+", text.lower()))
        if key and text.isascii():
            return key
    raise InputError(f"{path.name}: expected an English name in it, or an English file name; rename the file")


def _text(row: Mapping[str, Any], key: str, path: Path) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{path.name}: {key}: expected text, found {_shown(value)}")
    return value.strip()


def _number(row: Mapping[str, Any], key: str, default: float, path: Path) -> float:
    value = row.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{path.name}: {key}: expected a number, found {_shown(value)}")
    return float(value)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]
