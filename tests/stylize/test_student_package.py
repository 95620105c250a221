"""A student is trained, exported in every format there is, and packed as a painter that can be read and applied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from portraitist.stylize.painter_file import MadeFrom, read_painter
from portraitist.stylize.pairs import PairFolder, write_note
from portraitist.stylize.student import convert
from portraitist.stylize.student.config import StudentConfig
from portraitist.stylize.student.cost import count_multiply_adds
from portraitist.stylize.student.export import as_input
from portraitist.stylize.student.export_all import export_all
from portraitist.stylize.student.package import package_student
from portraitist.stylize.student.runtimes import RUNTIMES, psnr
from portraitist.stylize.student.sheets import paint_with
from portraitist.stylize.student.training import train_student
from tests.stylize.drawn_pairs import NOTE, drawn_pairs

CONFIG = StudentConfig(tier="tiny", steps=2, batch=1, side=64, perceptual=0, adversarial=0, edges=0)


def _none(*_: object) -> list[Path]:
    from portraitist.errors import EngineError

    raise EngineError("conversion: expected the package, not installed")


def test_from_pairs_to_a_painter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_pairs(tmp_path / "pairs", 3)
    write_note(
        tmp_path / "pairs", replace(NOTE, noncommercial=True, attributions=("Somebody",), part=1.35, style="set")
    )
    pairs = PairFolder.open(tmp_path / "pairs")
    network = train_student(pairs, tmp_path / "student", CONFIG, every=1)
    assert sorted(path.name for path in (tmp_path / "student").glob("sheet-*")) == [
        "sheet-000001.jpg",
        "sheet-000002.jpg",
    ]
    # The converters themselves are tested where they are installed; they take seconds each.
    monkeypatch.setattr("portraitist.stylize.student.package.CONVERTERS", dict.fromkeys(convert.CONVERTERS, _none))
    figures = export_all(network, pairs, tmp_path / "formats")
    assert set(figures["files"]) == {"single", "half", "int8"}
    assert set(figures["lacking"]) == {"ncnn", "mnn", "tflite"}
    assert figures["files"]["half"]["psnr"] > 40
    assert figures["files"]["int8"]["psnr"] > 32
    assert figures["files"]["half"]["bytes"] < figures["files"]["single"]["bytes"]
    packed = package_student(network, pairs, tmp_path / "blue", title="Blue", tier="tiny", figures={"grid": 1.0})
    painter = read_painter(packed.folder)
    card = painter.card
    assert (card.name, card.part, card.style, card.noncommercial) == ("blue", 1.35, "set", True)
    assert card.lift == 0
    given = package_student(network, pairs, tmp_path / "red", title="Red", tier="tiny", figures={}, lift=55.0)
    assert given.card.lift == 55
    assert card.made_from == (MadeFrom("Somebody", "CC0-1.0", "Somebody"),)
    assert card.stages == ("student",)
    assert card.multiply_adds_512 == count_multiply_adds(network)
    assert "Somebody" in (painter.folder / "README.md").read_text()
    image = as_input(pairs[0].photo)
    painted = paint_with(network, pairs[0].photo).transpose(2, 0, 1)[None] / np.float32(255)
    assert psnr(RUNTIMES[".onnx"](painter.network, 1)(image), painted) > 40


def test_a_run_stops_after_its_time(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path / "pairs", 1)
    train_student(pairs, tmp_path / "student", replace(CONFIG, steps=50), every=1, minutes=0)
    assert [path.name for path in (tmp_path / "student").glob("checkpoint-*")] == ["checkpoint-0000001.safetensors"]
