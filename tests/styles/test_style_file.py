"""Style files: read back as written, and refused by name when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from portraitist.errors import ConfigError, InputError
from portraitist.styles.style import Prompt, Style, StyleLora
from portraitist.styles.style_file import MAX_BYTES, read_style, write_style

GOOD: dict[str, Any] = {
    "key": "mine",
    "name": "Mine",
    "name_zh": "我的",
    "about": "Of a test.",
    "prompt": {"subject": "portrait photograph", "light": "soft light, rim light"},
}
FULL = Style(
    "mine",
    "Mine",
    "我的",
    "Of a test.",
    Prompt("portrait", place="dark background"),
    needs="mini",
    tested=True,
    negative=("blurry",),
    sampler="euler",
    steps=12,
    guidance=2.0,
    identity_weight=0.5,
    lora=StyleLora("a.safetensors", 0.3, "modelscope", "owner/name", "v1"),
    source="x.json",
)


def _write(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}, allow_unicode=True), encoding="utf-8")
    return path


def test_a_style_is_read_back_as_written(tmp_path: Path) -> None:
    assert read_style(write_style(tmp_path / "mine.yaml", FULL)) == FULL


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    style = read_style(_write(tmp_path, guidance=7))
    assert (style.needs, style.tested, style.lora, style.guidance) == ("hub", False, None, 7.0)
    assert style.prompt.phrases() == ("soft light", "rim light")


def test_a_lora_beside_the_style_is_found_from_there(tmp_path: Path) -> None:
    style = read_style(_write(tmp_path, lora={"file": "grain.safetensors"}))
    assert style.lora is not None
    assert style.lora.file == str(tmp_path / "grain.safetensors")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"promt": {}}, r"mine.yaml: unknown key 'promt'; allowed are key, name, .*guidance"),
        (
            {"prompt": {"subject": "x", "lense": "50 mm"}},
            r"mine.yaml: prompt: unknown key 'lense'; allowed are subject",
        ),
        ({"prompt": {}}, "prompt: expected the key 'subject'"),
        ({"prompt": "portrait"}, "prompt: expected keys with values, found 'portrait'"),
        ({"prompt": {"subject": " "}}, "prompt.subject: expected some words"),
        ({"name": ""}, "name: expected some words"),
        ({"name": 7}, "name: expected text, found 7"),
        ({"key": "Mine"}, "small letters"),
        ({"key": "other"}, "expected 'mine' as the file is called"),
        ({"steps": 0}, "steps: expected 1 to 150"),
        ({"steps": True}, "steps: expected a whole number, found True"),
        ({"steps": 2.5}, "steps: expected a whole number"),
        ({"steps": None}, "steps: expected a whole number, found nothing"),
        ({"guidance": "high"}, "guidance: expected a number, found 'high'"),
        ({"guidance": float("nan")}, "guidance: expected 1 to 20"),
        ({"tested": "no"}, "tested: expected true or false"),
        ({"identity_weight": 2}, "identity_weight: expected 0 to 1.5"),
        ({"sampler": "magic"}, "sampler: expected one of base, euler"),
        ({"needs": "luck"}, "needs: expected one of mini, hub"),
        ({"needs": "mini"}, "portrait-mini does not know photograph, soft"),
        ({"negative": "blurry"}, "negative: expected a list"),
        ({"negative": ["blurry", 3]}, "negative: expected text, found 3"),
        ({"negative": ["large pores", "Freckles"]}, "freckle, pore belong to the sitter"),
        ({"lora": {"file": "x.ckpt"}}, "expected a .safetensors file"),
        ({"lora": {"file": "x.safetensors", "hub": "huggingface"}}, "lora.repository"),
        ({"lora": {"file": "x.safetensors", "weight": 9}}, "weight: expected 0 to 2"),
        ({"lora": ["x"]}, "lora: expected keys with values"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_key(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_style(_write(tmp_path, **changes))
    assert str(caught.value).startswith("mine.yaml: ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n- b\n",
        b"just words",
        b"key: [unclosed",
        b"key: !!python/object/apply:os.system ['true']",
        b"\xff\xfe\x00key",
        b"7: seven\n",
        b"[" * 5000,
        b"about: 2024-99-99\n",
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["empty", "list", "text", "unclosed", "object", "bytes", "number", "nested", "date", "large"],
)
def test_what_is_no_style_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        read_style(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_style(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["Mine.yaml", "mine.txt", "my look.yaml", "-.yaml"])
def test_a_file_must_be_called_by_a_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"KEY\.yaml"):
        write_style(tmp_path / name, FULL)
