"""The annotation page stands alone, names every kind, and its script is a script."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portraitist.marks.kinds import KINDS
from portraitist.pages.html import environment, render

SCENARIO = Path(__file__).with_name("annotating_scenario.js")


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


def run_script(text: str, folder: Path, *options: str) -> None:
    """Run or check a script; the test is skipped where there is nothing to run it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here to run scripts of the page")
    (folder / "page.js").write_text(text, encoding="utf-8")
    done = subprocess.run([node, *options, str(folder / "page.js")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_script_can_be_parsed(script: str, tmp_path: Path) -> None:
    run_script(script, tmp_path, "--check")


def test_changes_undo_proposals_and_saving(tmp_path: Path) -> None:
    marks = environment().get_template("annotating_marks.js").render()
    run_script(marks + SCENARIO.read_text(encoding="utf-8"), tmp_path)
