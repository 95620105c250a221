"""A painter is shipped with its card, what was measured and where it fails, and can be found by its row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portraitist import weights
from portraitist.downloads import sha256_of
from portraitist.library import Library
from portraitist.tasks.painters import find_painter, painters
from portraitist.weight_folders import LIST, listed_files
from recipes.painters import stage_ship
from recipes.painters.command import main
from tests.stylize.tiny_painter import painter

MEASURED = {
    "swap": {
        "speed": {"frames/s at 512": 61.5},
        "printed": {
            "faces": ["| group | faces |", "|---|---|", "| all | 3 |"],
            "speed": ["speed: frames/s at 512 61.5"],
        },
    }
}


def _ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_words: bool = True) -> int:
    painter(tmp_path / "run" / "painters" / "swap")
    (tmp_path / "figures.json").write_text(json.dumps(MEASURED))
    words = tmp_path / "recipes" / "swap" / "README.md"
    words.parent.mkdir(parents=True)
    if has_words:
        words.write_text("## Where it fails\nOn the dark side of the moon.\n")
    monkeypatch.setattr(stage_ship, "RECIPES", tmp_path / "recipes")
    told = [
        "--name",
        "swap",
        "--figures",
        str(tmp_path / "figures.json"),
        "--to",
        str(tmp_path / "weights" / "painters"),
    ]
    return main(["ship", "--run", str(tmp_path / "run"), *told])


def test_shipped_with_what_was_measured_and_found_by_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ship(tmp_path, monkeypatch) == 0
    folder = tmp_path / "weights" / "painters" / "swap"
    card = (folder / "README.md").read_text()
    assert "dark side of the moon" in card
    assert "| all | 3 |" in card
    assert {file.path for file in listed_files(folder)} == {"painter.onnx", "painter.json", "README.md"}
    source, digest = weights.ProjectFolder("painters/swap"), sha256_of(folder / LIST)
    row = weights.WeightsRow("painter-swap", source, digest, None, "CC0-1.0", "a test")
    monkeypatch.setitem(weights.TABLE, "painter-swap", row)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path / "weights"))
    library = Library(tmp_path / "library")
    assert weights.verify("painter-swap")
    found = find_painter(library, "swap").file
    assert found is not None
    assert found.card.figures["frames/s at 512"] == 61.5
    assert "swap" in [each.name for each in painters(library)]


def test_nothing_is_shipped_without_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ship(tmp_path, monkeypatch, has_words=False) == 2
    assert "where it fails" in capsys.readouterr().err
    assert not (tmp_path / "weights").exists()
