"""The recipe's stages from domains to pairs and on to a student run by their commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from portraitist.stylize.domain import Domain, DomainNote, save_domain
from portraitist.stylize.pairs import PairFolder
from recipes.painters.command import main
from recipes.painters.stage_prepare import domain_path
from tests.stylize.drawn_pairs import photo

SIDE = 64


def _prepared(run: Path) -> None:
    for name, first in (("photos", 0), ("drawings", 50)):
        images = np.stack([photo(first + number, SIDE) for number in range(3)])
        note = DomainNote(name, "CC0-1.0", f"who made {name}", noncommercial=name == "photos")
        save_domain(domain_path(run, SIDE, name), Domain(name, images, ("a.png", "b.png", "c.png"), note))


def test_translate_then_pairs_then_student(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _prepared(tmp_path)
    shared = ["--run", str(tmp_path), "--style", "drawings", "--photos", "photos", "--domain-side", str(SIDE)]
    shared += ["--preset", "tiny", "--keeper", "mask"]
    assert main(["translate", *shared, "--likeness", "0", "--sheet-every", "1"]) == 0
    assert (tmp_path / "translate" / "sheet-000002.jpg").is_file()
    assert (tmp_path / "translate" / "watch.jsonl").read_text().count("variety") == 2
    assert main(["pairs", *shared, "--no-needs-face"]) == 0
    pairs = PairFolder.open(tmp_path / "pairs")
    assert len(pairs) == 3
    assert pairs.has_masks
    assert pairs.note.noncommercial
    assert pairs.note.stages == ("translate",)
    assert pairs.note.attributions == ("who made photos", "who made drawings")
    cheap = ["--tier", "tiny", "--steps", "2", "--batch", "1", "--side", "64", "--has-mask"]
    cheap += ["--perceptual", "0", "--adversarial", "0", "--edges", "0", "--sheet-every", "2"]
    assert main(["student", "--run", str(tmp_path), *cheap]) == 0
    assert (tmp_path / "student" / "sheet-000002.jpg").is_file()
    told = ["--split", "tune", "--tier", "tiny", "--has-mask"]
    assert main(["sheet", *shared, *told]) == 0
    assert (tmp_path / "stages.jpg").is_file()
    assert "photo, stage 2, stage 3" in capsys.readouterr().out


def test_a_stage_without_the_one_before_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", "--run", str(tmp_path), "--style", "drawings"]) == 2
    assert "run the stage prepare first" in capsys.readouterr().err
