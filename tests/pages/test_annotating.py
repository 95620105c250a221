"""The annotation page stands alone, names every kind, and its script is a script."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portraitist.marks.kinds import KINDS
from portraitist.pages.html import render


@pytest.fixture(scope="module")
def page() -> str:
    return render("annotating.html")


@pytest.fixture(scope="module")
def script(page: str) -> str:
    (found,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return str(found)


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    for word in ("http:", "https:", "//cdn", "@import", "<link", " src=", "url(", "{%", "{{"):
        assert word not in page, word


def test_kinds_and_keys_are_those_of_the_package(script: str) -> None:
    assert f"const KINDS = {list(KINDS)};".replace("'", '"') in script


def test_every_button_that_does_something_is_on_the_page(page: str, script: str) -> None:
    (actions,) = re.findall(r"const ACTIONS = \{(.*?)\n\};", script, re.DOTALL)
    names = re.findall(r"^  (\w+): \(\) =>", actions, re.MULTILINE)
    assert len(names) > 12
    ids = re.findall(r'id="(\w+)"', page)
    assert len(ids) == len(set(ids))
    assert set(names) <= set(ids)
    assert set(re.findall(r'part\("(\w+)"\)', script)) <= set(ids)


def test_the_script_can_be_parsed(script: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here to parse it")
    (tmp_path / "page.js").write_text(script, encoding="utf-8")
    subprocess.run([node, "--check", str(tmp_path / "page.js")], check=True, timeout=60)
