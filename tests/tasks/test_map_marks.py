"""A sitter's map is made of the album, kept, edited and checked, and goes with the sitter."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraitist.cli.main import main
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.faces.topology import triangles
from portraitist.image import encode_image
from portraitist.library import Consent, Library
from portraitist.marks.anchor import Anchor, canonical
from portraitist.marks.map import MarksMap, write_map
from portraitist.tasks.add import add
from portraitist.tasks.check_marks import check_portrait
from portraitist.tasks.erase import erase
from portraitist.tasks.map_marks import map_marks
from portraitist.types import Image

NAME = "anna"
SCALE = 2
CHEEK = (50, 101, 36, 205)


@pytest.fixture(scope="module")
def marked(astronaut: Image, reader: FaceReader) -> Image:
    """The photo enlarged, with a brown mole of some 4 mm drawn on one cheek."""
    large = cv2.resize(astronaut, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    x, y = _cheek(reader, astronaut) * SCALE
    mole = np.zeros(large.shape[:2], np.float32)
    cv2.circle(mole, (round(x), round(y)), 3, 1.0, -1, cv2.LINE_AA)
    mole = cv2.GaussianBlur(mole, (0, 0), 1.0)[..., None]
    brown = np.array([0.45, 0.33, 0.28])
    return np.asarray(large * (1 - (1 - brown) * mole), np.uint8)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, marked: Image) -> Library:
    """Two photos of one person, the second a little brighter."""
    folder = tmp_path_factory.mktemp("marks") / "photos"
    folder.mkdir()
    brighter = np.clip(marked.astype(np.float32) * 1.08, 0, 255).astype(np.uint8)
    for name, image in (("one", marked), ("two", brighter[20:, 30:])):
        (folder / f"{name}.png").write_bytes(encode_image(np.ascontiguousarray(image), "png"))
    library = Library(folder.parent / "library")
    add(library, NAME, [folder], consent=Consent.now("Eileen Collins", "public domain"))
    return library


def _cheek(reader: FaceReader, image: Image) -> np.ndarray:
    face = max(reader.read(image), key=lambda found: found.width)
    return face.landmarks[list(CHEEK), :2].mean(axis=0)


def test_a_map_is_made_edited_and_checked(
    library: Library, tmp_path: Path, astronaut: Image, marked: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    found = map_marks(library, NAME)
    moles = [mark for mark in found.marks if mark.kind == "mole" and _gap(mark.anchor) < 6]
    assert len(moles) == 1
    mole = moles[0]
    assert len(mole.seen_in) >= 1
    assert mole.colour_offset[0] < -10

    root = ["--library", str(library.root)]
    assert main([*root, "marks", "edit", NAME, "--soften", mole.mark_id, "--json"]) == 0
    rows = {row["mark"]: row["does"] for row in json.loads(capsys.readouterr().out)}
    assert rows[mole.mark_id] == "soften"
    page = (library.sitter(NAME).marks_dir / "marks.html").read_text()
    assert mole.mark_id in page
    assert "<circle" in page
    assert "http://" not in page
    assert "https://" not in page
    again = map_marks(library, NAME)
    assert next(m for m in again.marks if m.mark_id == mole.mark_id).action == "soften"

    with_mole, without = tmp_path / "with.png", tmp_path / "without.png"
    with_mole.write_bytes(encode_image(marked, "png"))
    plain = cv2.resize(astronaut, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    without.write_bytes(encode_image(plain, "png"))
    assert mole.mark_id in check_portrait(library, NAME, with_mole).found
    assert mole.mark_id in check_portrait(library, NAME, without).missing
    assert main([*root, "marks", "check", NAME, str(without)]) == 1
    assert mole.mark_id in capsys.readouterr().out


def _with_empty_map(root: Path) -> Library:
    library = Library(root)
    sitter = library.create_sitter("bob", Consent.now("Bob", "a test"))
    write_map(MarksMap(), sitter.marks_dir)
    return library


def test_an_unknown_mark_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _with_empty_map(tmp_path).sitter("bob").marks_dir / "marks.json"
    before = path.read_bytes()
    assert main(["--library", str(tmp_path), "marks", "edit", "bob", "--remove", "mole-nowhere"]) == 3
    assert "mole-nowhere" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_erase_takes_the_map_along(tmp_path: Path) -> None:
    library = _with_empty_map(tmp_path)
    folder = library.sitter("bob").marks_dir
    erase(library, "bob")
    assert not folder.exists()


def test_without_a_map_the_command_is_named(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.create_sitter("bob", Consent.now("Bob", "a test"))
    with pytest.raises(InputError, match="marks map"):
        check_portrait(library, "bob", tmp_path / "any.png")


def _gap(anchor: Anchor) -> float:
    """Millimetres on the canonical face from the middle of the cheek where the mole was drawn."""
    corners = [int(np.argmin(np.abs(triangles() - vertex).min(axis=1))) for vertex in CHEEK]
    middle = np.mean([canonical(Anchor(row, _corner(row, v))) for row, v in zip(corners, CHEEK, strict=True)], axis=0)
    return float(np.linalg.norm(canonical(anchor) - middle))


def _corner(row: int, vertex: int) -> tuple[float, float, float]:
    first, second, third = (float(corner == vertex) for corner in triangles()[row])
    return first, second, third
