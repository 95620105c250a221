"""The recipe of the detector on drawn faces: what each stage leaves, and that a second run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from portraitist.marks.labelled import LabelledFolder
from portraitist.marks.network import build
from portraitist.marks.network_config import MarkNetworkConfig
from portraitist.placement import Placement
from portraitist.training.checkpoint import checkpoints
from recipes.marks.command import main
from recipes.marks.evaluate import table
from recipes.marks.prepare import FOLDERS, sources
from tests.marks.drawn_views import drawn, drawn_folder

HOW = ("--tiny", "--side", "256", "--crop", "64", "--batch", "2", "--sheet-every", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What prepare leaves, without photos: skins of six people, some rendered views, some held back."""
    for name, count in (("skins", 6), ("rendered", 3), ("held-back", 2)):
        drawn_folder(tmp_path / name, count, lines=1)
    return tmp_path


def test_stages_leave_their_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ("--run", str(folder), *HOW)
    assert main(["train", *run, "--steps", "4"]) == 0
    assert (folder / "sheet-000004.jpg").is_file()
    assert checkpoints(folder / "train")[-1].stem == "checkpoint-0000004"
    assert main(["train", *run, "--steps", "6"]) == 0
    assert checkpoints(folder / "train")[-1].stem == "checkpoint-0000006"
    assert main(["evaluate", *run]) == 0
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["rendered"]["0.3"]["faces"] == 2
    assert figures["annotated"]["0.3"]["faces"] == 1
    assert table(figures["rendered"]) in (folder / "table.md").read_text()
    assert main(["export", *run]) == 0
    engine = build(MarkNetworkConfig(network_file=str(folder / "marks" / "marks.onnx")), Placement())
    list(engine(drawn(1).view))
    capsys.readouterr()


def test_fewer_views_are_another_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ("--run", str(folder), *HOW)
    assert main(["train", *run, "--steps", "2"]) == 0
    assert main(["train", *run, "--steps", "4", "--use", "1"]) == 2
    assert "views" in capsys.readouterr().err


def test_stages_say_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage, word in (("prepare", "--data"), ("train", "prepare"), ("evaluate", "train"), ("export", "train")):
        assert main([stage, "--run", str(tmp_path), *HOW]) == 2
        assert word in capsys.readouterr().err


def test_only_photos_to_tune_on_are_taken(shared_data: Path) -> None:
    found = sources(shared_data)
    judges = {line.split(",")[0] for line in (shared_data / "SPLIT.csv").read_text().split() if line.endswith("judge")}
    assert len(found) > 50
    assert sum(source.annotated is not None for source in found) == 21
    assert not {source.file for source in found} & judges
    assert all(source.file.startswith(FOLDERS) for source in found)


def test_skins_are_held_back_by_person(folder: Path) -> None:
    from recipes.marks.stages import _parted

    learned, kept_back = _parted(LabelledFolder.of(folder / "skins"))
    assert (len(learned), len(kept_back)) == (5, 1)
