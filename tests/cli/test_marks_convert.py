"""Annotations go from one format to another and back, and what cannot be read is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from portraitist.cli.main import main
from portraitist.image import encode_image
from portraitist.marks.formats import read_annotations


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A whale-anno export of one photo of 200 x 100, with a label that nobody knows."""
    (tmp_path / "one.png").write_bytes(encode_image(np.zeros((100, 200, 3), np.uint8), "png"))
    details = [{"points": [[0.5, 0.25]], "type": "痣"}, {"points": [[0.1, 0.1]], "type": "?"}]
    (tmp_path / "export.json").write_text(json.dumps({"fileName": "one.png", "annoDetails": details}))
    return tmp_path / "export.json"


def test_there_and_back(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco, own = tmp_path / "coco.json", tmp_path / "own.marks.json"
    assert main(["marks", "convert", str(export), "--to", "coco", "--out", str(coco)]) == 0
    said = capsys.readouterr().out
    assert "left out:" in said
    assert "1 photos, 1 marks" in said
    assert main(["marks", "convert", str(coco), "--to", "own", "--out", str(own)]) == 0
    (image,) = read_annotations(own).images
    assert image.marks[0].kind == "mole"
    np.testing.assert_allclose(image.marks[0].points, [[100, 25]], atol=0.5)


def test_the_file_that_is_read_is_not_written_over(export: Path) -> None:
    before = export.read_bytes()
    assert main(["marks", "convert", str(export), "--to", "own", "--out", str(export)]) == 3
    assert export.read_bytes() == before
