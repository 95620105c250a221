"""Styles of the older system: what comes along, what is left and named, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portraitist.errors import InputError
from portraitist.styles.importer import import_styles
from portraitist.styles.style import StyleLora

OLD: dict[str, Any] = {
    "name": "雪夜(Snowy night)",
    "img": "./style_image/snowy_night.jpg",
    "model_id": "somebody/snowy_lora",
    "revision": "v1.0.0",
    "bin_file": "snowy.safetensors",
    "multiplier_style": 0.35,
    "multiplier_human": 0.95,
    "add_prompt_style": "snow, street lamps, 1girl, red scarf, ",
}


def _file(folder: Path, value: Any) -> Path:
    path = folder / "snowy_night.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_every_key_finds_its_place(tmp_path: Path) -> None:
    (one,) = import_styles(_file(tmp_path, OLD))
    assert (one.style.key, one.style.name, one.style.name_zh) == ("snowy-night", "Snowy night", "雪夜")
    assert one.style.lora == StyleLora("snowy.safetensors", 0.35, "modelscope", "somebody/snowy_lora", "v1.0.0")
    assert one.style.identity_weight == 0.95
    assert one.style.prompt.phrases() == ("snow", "street lamps", "red scarf")
    assert not one.style.tested
    left = "\n".join(one.left_out)
    assert "img" in left
    assert "1girl" in left
    assert "sampler" in left


@pytest.mark.parametrize(
    "nested", [[OLD], {"styles": [OLD]}, {"base": {"winter": OLD, "note": "x"}}], ids=["list", "under", "deep"]
)
def test_nested_files_are_searched(tmp_path: Path, nested: Any) -> None:
    (one,) = import_styles(_file(tmp_path, nested))
    assert one.style.key == "snowy-night"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_id": None, "bin_file": None}, "without a LoRA"),
        ({"bin_file": "snowy.bin"}, "snowy.bin"),
        ({"model_id": "https://example.org/x"}, "OWNER/NAME"),
        ({"link_pose": True}, "link_pose"),
        ({"name": "Snowy night"}, "no Chinese name"),
    ],
)
def test_what_stays_behind_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    (one,) = import_styles(_file(tmp_path, {**OLD, **changes}))
    assert said in "\n".join(one.left_out)
    assert (one.style.lora is None) == ("model_id" in changes or "bin_file" in changes)


def test_a_chinese_name_alone_takes_its_key_from_the_file(tmp_path: Path) -> None:
    (one,) = import_styles(_file(tmp_path, {**OLD, "name": "雪夜"}))
    assert (one.style.key, one.style.name, one.style.name_zh) == ("snowy-night", "雪夜", "雪夜")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "expected objects with name"),
        ("words", "expected objects"),
        ({"name": "x"}, "no 'add_prompt_style'"),
        ({**OLD, "add_prompt_style": ["snow"]}, "add_prompt_style: expected text"),
        ({**OLD, "name": 5}, "name: expected text, found 5"),
        ({**OLD, "multiplier_style": "strong"}, "multiplier_style: expected a number"),
        ({**OLD, "multiplier_style": 12}, "weight: expected 0 to 2"),
        ({**OLD, "multiplier_human": True}, "multiplier_human: expected a number"),
        ({**OLD, "multiplier_human": float("nan")}, "multiplier_human: expected a number"),
        ({**OLD, "multiplier_human": -1}, "identity_weight: expected 0 to 1.5"),
    ],
)
def test_bad_values_are_refused_by_name(tmp_path: Path, value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        import_styles(_file(tmp_path, value))
    assert "snowy_night.json" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"x" * 1_100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "style.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"style\.json"):
        import_styles(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError):
            import_styles(path)
