"""`marks train`: annotations of two real photos in, a detector that the engine loads out, on a tiny scale."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from portraitist import weights
from portraitist.cli.main import main
from portraitist.errors import ConfigError, InputError, WeightsError
from portraitist.faces.reader import FaceReader
from portraitist.library import Library
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.formats.own import write_own
from portraitist.marks.network import SHIPPED_START, build
from portraitist.marks.network_config import TINY, MarkNetworkConfig, MarkTrainingConfig
from portraitist.marks.view import skin_view
from portraitist.placement import Placement
from portraitist.tasks.train_marks import TrainedDetector, train_marks
from portraitist.types import Image

FEW = MarkTrainingConfig(steps=3, batch=2, crop=64, side=192)


@pytest.fixture(autouse=True)
def _one_reader(reader: FaceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaceReader, "load", classmethod(lambda cls, placement=None: reader))


@pytest.fixture
def photos(astronaut: Image, hopper: Image, reader: FaceReader, tmp_path: Path) -> Path:
    """Two people with a mole annotated on the cheek of each, and a photo of nobody."""
    images, rows = tmp_path / "photos", []
    images.mkdir()
    for name, image in (("astronaut.png", astronaut), ("hopper.png", hopper)):
        cv2.imwrite(str(images / name), image[..., ::-1])
        face = max(reader.read(image, embed=False), key=lambda found: found.width)
        mole = AnnotatedMark("mole", face.landmarks[[50], :2], 5.0)
        rows.append(AnnotatedImage(name, image.shape[1::-1], None, (mole,)))
    cv2.imwrite(str(images / "nobody.png"), np.full((200, 200, 3), 90, np.uint8))
    rows.append(AnnotatedImage("nobody.png", (200, 200), None, ()))
    write_own(tmp_path / "marks.json", rows)
    return tmp_path / "marks.json"


def _train(library: Library, photos: Path, config: MarkTrainingConfig = FEW, **how: object) -> TrainedDetector:
    return train_marks(library, photos, photos.parent / "photos", config, size=TINY, **how)  # type: ignore[arg-type]


def test_annotations_become_a_detector(photos: Path, library: Library, astronaut: Image, reader: FaceReader) -> None:
    trained = _train(library, photos)
    assert trained.path == library.root / "detectors" / "marks.onnx"
    assert trained.path.with_suffix(".safetensors").is_file()
    assert (trained.learned, trained.rendered) == (1, 0)
    assert trained.score is not None
    assert (trained.score.faces, trained.score.there.total()) == (1, 1)
    assert [problem for problem in trained.problems if "nobody.png" in problem] == list(trained.problems)
    assert list(library.cache_dir.rglob("*.npz")) == [], "views of people are not kept"
    engine = build(MarkNetworkConfig(network_file=str(trained.path)), Placement())
    list(engine(skin_view(astronaut, reader.read(astronaut, embed=False)[0], 192)))


def test_rendered_marks_are_learned_besides(photos: Path, library: Library) -> None:
    assert _train(library, photos, rendered=2).rendered == 2


def test_a_stopped_training_goes_on_and_gives_the_same(photos: Path, library: Library, tmp_path: Path) -> None:
    def stop(step: object) -> None:
        if getattr(step, "stage", "") == "train" and getattr(step, "done", 0) == 2:
            raise KeyboardInterrupt

    whole = _train(library, photos).path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _train(Library(tmp_path / "other"), photos, report=stop)
    assert _train(Library(tmp_path / "other"), photos).path.read_bytes() == whole


def test_it_begins_from_weights(photos: Path, library: Library, tmp_path: Path) -> None:
    first = _train(library, photos)
    again = _train(library, photos, start=first.path.with_suffix(".safetensors"), out=tmp_path / "again.onnx")
    assert again.path.read_bytes() != first.path.read_bytes()
    with pytest.raises(InputError, match="start"):
        train_marks(library, photos, photos.parent / "photos", FEW, start=first.path.with_suffix(".safetensors"))
    with pytest.raises(InputError, match=r"again\.txt"):
        _train(library, photos, start=tmp_path / "again.txt")


def test_without_a_start_it_begins_from_the_shipped_weights(
    photos: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(name: str, report: object) -> Path:
        asked.append(name)
        raise WeightsError("offline")

    monkeypatch.setattr(weights, "fetch", fetch)
    with pytest.raises(WeightsError):
        train_marks(library, photos, photos.parent / "photos", FEW)
    assert asked == [SHIPPED_START]
    _train(library, photos)
    assert len(asked) == 1, "another size of network cannot begin from them"


def test_nothing_that_can_be_learned_from_is_refused(photos: Path, library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("[]")
    with pytest.raises(InputError, match="none"):
        train_marks(library, tmp_path / "empty.json", photos.parent / "photos", FEW, size=TINY)
    with pytest.raises(ConfigError, match="rendered"):
        _train(library, photos, rendered=-1)


def test_the_command_says_what_was_measured(
    photos: Path, library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.onnx"
    line = ["--library", str(library.root), "marks", "train", "--annotations", str(photos), "--out", str(out)]
    line += ["--images", str(photos.parent / "photos"), "--side", "192", "--crop", "64", "--batch", "2", "--steps", "2"]
    assert main(line) == 0
    said = capsys.readouterr().out
    assert "learned from 1 annotated and 0 rendered views" in said
    assert "of 1 point marks found" in said
    assert "so few marks say little" in said
    assert "left out: nobody.png" in said
    assert str(out) in said
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["held_back"]["faces"] == 1
