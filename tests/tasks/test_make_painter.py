"""A painter is made from a folder of pictures by one command; what cannot be used is named and the rest is used."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from portraitist.cli.main import main
from portraitist.library import Library
from portraitist.stylize.domain import Domain, DomainNote, load_domain
from portraitist.stylize.generator.generator_file import Origin, TrainedGenerator, save_generator
from portraitist.stylize.generator.presets import TINY
from portraitist.stylize.generator.training import GanTrainee
from portraitist.stylize.painter_file import read_painter
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student import convert
from portraitist.tasks.make_painter import begin, preset_of
from portraitist.tasks.make_painter_config import MakePainterConfig
from tests.stylize.drawn_pairs import photo
from tests.stylize.test_student_package import _none

TINY_FLAGS = ["--preset", "tiny", "--tier", "tiny", "--side", "64", "--batch", "1", "--student-steps", "2"]
TINY_FLAGS += ["--generator-steps", "2", "--samples", "3", "--save-every", "1", "--no-needs-face"]


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Mixed sizes, one broken."""
    folder = tmp_path / "drawings"
    folder.mkdir()
    for number, side in enumerate((48, 80, 100)):
        cv2.imwrite(str(folder / f"{number}.png"), photo(number, side)[:, : side - 8 * number])
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def faces(tmp_path: Path, astronaut_path: Path) -> Path:
    """One with a face, one without."""
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "astronaut.png").write_bytes(astronaut_path.read_bytes())
    cv2.imwrite(str(folder / "empty.png"), photo(9, 128))
    return folder


def _source(folder: Path) -> Path:
    """An untrained generator that saw non-commercial pictures."""
    note = DomainNote("faces", "CC BY-NC 4.0", "Somebody", noncommercial=True)
    trainee = GanTrainee(Domain("x", photo(0, 16)[None], ("a",), note), TINY.size, TINY.training)
    networks = trainee.module
    return save_generator(
        folder / "source.safetensors", TrainedGenerator(networks.generator, Origin((note,)), networks.discriminator)
    )


def test_one_command_makes_a_painter(
    tmp_path: Path, drawings: Path, faces: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("portraitist.stylize.student.package.CONVERTERS", dict.fromkeys(convert.CONVERTERS, _none))
    root = tmp_path / "library"
    told = [
        "--images",
        str(drawings),
        "--photos",
        str(faces),
        "--source",
        str(_source(tmp_path)),
        "--licence",
        "CC0-1.0",
    ]
    assert main(["--library", str(root), "painter", "new", "blobs", *told, *TINY_FLAGS]) == 0
    said = capsys.readouterr()
    assert "broken.png" in said.err
    assert "empty.png: no face" in said.err
    assert "fewer than 30" in said.err
    assert "--painter blobs" in said.out
    card = read_painter(root / "painters" / "blobs").card
    assert card.stages == ("generator", "translate", "student")
    assert card.noncommercial
    assert [source.name for source in card.made_from] == ["Somebody"]
    assert "CC0-1.0" in card.licence
    work = root / "painters-in-work" / "blobs"
    assert len(load_domain(work / "drawings.npz")) == 3
    assert len(PairFolder.open(work / "generator-pairs")) == 3
    assert len(load_domain(work / "photos.npz")) == 1
    before = (root / "painters" / "blobs" / "painter.onnx").read_bytes()
    assert main(["--library", str(root), "painter", "export", "blobs", *TINY_FLAGS]) == 0
    assert (root / "painters" / "blobs" / "painter.onnx").read_bytes() == before


def test_a_few_drawings_are_learned_from_for_less_long(tmp_path: Path) -> None:
    from portraitist.stylize.domain import save_domain

    said: list[str] = []
    work = begin(Library(tmp_path), "few", MakePainterConfig(), lambda step: said.append(step.message))
    for count, part in ((40, 1), (5, 4)):
        images = np.zeros((count, 8, 8, 3), np.uint8)
        save_domain(work.drawings, Domain("few", images, tuple(map(str, range(count))), DomainNote("few", "CC0-1.0")))
        assert preset_of(work).steps == 14_000 // part
    assert any("few-shot" in sentence for sentence in said)


def test_what_is_lacking_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--library", str(tmp_path), "painter"]
    assert main([*command, "student", "nobody"]) == 3
    assert "give --images DIR and --photos DIR" in capsys.readouterr().err
    assert main([*command, "new", "a/b"]) == 3
