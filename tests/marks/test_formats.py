"""Annotations of every format: read back as written, and each bad row named while the rest is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from portraitist.errors import InputError
from portraitist.marks import formats
from portraitist.marks.annotation import AnnotatedImage
from portraitist.marks.formats import Imported, read_annotations, rows
from portraitist.marks.formats.coco import write_coco
from portraitist.marks.formats.own import write_own

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an annotation file beside `images`, which holds a.jpg to e.jpg of 200 x 100 pixels."""
    (tmp_path / "images").mkdir()
    for name in "abcde":
        Pillow.new("RGB", (200, 100)).save(tmp_path / "images" / f"{name}.jpg")

    def _write(content: str | bytes) -> Path:
        path = tmp_path / "marks.json"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def whale(file: str, *details: tuple[str, Any]) -> str:
    listed = [{"points": points, "type": label} for label, points in details]
    return json.dumps({"projectName": "p", "fileName": file, "annoDetails": listed}, ensure_ascii=False)


def places(found: Imported) -> list[tuple[int, str]]:
    return [(problem.line, problem.entry) for problem in found.problems]


def seen(image: AnnotatedImage) -> list[tuple[str, list[list[float]]]]:
    return [(mark.kind, mark.points.tolist()) for mark in image.marks]


MOLE = ("痣", [[0.5, 0.25]])
ROWS = [
    whale("a.jpg", MOLE),
    whale("b.jpg", ("皱纹", [[0, 0], [1, 1]])),
    whale("c.jpg", ("斑", [[0.1, 0.1], [0.2, 0.2]]), ("疤", [[0.5, 0.5]])),
]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(ROWS),
        "[" + ",".join(ROWS) + "]",
        "[\n" + ",\n".join(ROWS) + "\n]\n",
        f"{ROWS[0]}\n\n\n[{ROWS[1]}]\r\n{ROWS[2]}\n",
        "\ufeff" + "\n".join(ROWS),
        json.dumps([json.loads(row) for row in ROWS], indent=4),
    ],
)
def test_whale_lines_arrays_and_mixes_are_the_same(write: Write, text: str) -> None:
    found = read_annotations(write(text))
    assert found.problems == ()
    assert [image.file for image in found.images] == ["a.jpg", "b.jpg", "c.jpg"]
    assert {image.size for image in found.images} == {(200, 100)}
    assert seen(found.images[0]) == [("mole", [[100.0, 25.0]])]
    assert seen(found.images[1]) == [("wrinkle", [[0.0, 0.0], [200.0, 100.0]])]
    assert [kind for kind, _ in seen(found.images[2])] == ["spot", "spot", "scar"]


def test_utf16_is_read_too(write: Write) -> None:
    assert seen(read_annotations(write(ROWS[0].encode("utf-16"))).images[0]) == [("mole", [[100.0, 25.0]])]


@pytest.mark.parametrize(
    ("detail", "what"),
    [
        (("痣", [[1.2, 0.5]]), "from 0 to 1"),
        (("痣", [[-0.01, 0.5]]), "from 0 to 1"),
        (("痣", [["0.5", 0.5]]), "expected a number, found '0.5'"),
        (("痣", [[True, 0.5]]), "found True"),
        (("痣", [[float("nan"), 0.5]]), "found nan"),
        (("痣", [[10**400, 0.5]]), "beyond any photo"),
        (("痣", [[0.5]]), "expected [x, y]"),
        (("痣", []), "expected a list of [x, y]"),
        (("痣", None), "expected a list of [x, y]"),
        (("皱纹", [[0.5, 0.5]]), "two or more points"),
        (("mustache", [[0.5, 0.5]]), "found 'mustache'"),
        ((None, [[0.5, 0.5]]), "add it to the table"),  # type: ignore[arg-type]
        (MOLE, "there already"),
    ],
)
def test_a_bad_mark_is_named_and_the_others_are_read(write: Write, detail: tuple[str, Any], what: str) -> None:
    found = read_annotations(write("\n".join([ROWS[1], whale("a.jpg", MOLE, detail), ROWS[2]])))
    assert [image.file for image in found.images] == ["b.jpg", "a.jpg", "c.jpg"]
    assert seen(found.images[1]) == [("mole", [[100.0, 25.0]])]
    assert places(found) == [(2, "mark 2")]
    assert what in str(found.problems[0])
    assert str(found.problems[0]).startswith("marks.json, line 2, mark 2: ")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (whale("gone.jpg", MOLE), "fractions need its size"),
        (whale("../images/a.jpg", MOLE), "leaves it"),
        (whale("x" * 3000, MOLE), "fractions need its size"),
        (whale("\ud800.jpg", MOLE).encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "fractions need"),
        ('{"fileName": "\\ud800.jpg", "annoDetails": [{}]}', "file name"),
        (whale("d.jpg"), "expected marks, found none"),
        ('{"fileName": "d.jpg", "annoDetails": "none"}', "expected a list"),
        ('{"fileName": 3, "annoDetails": []}', "file name"),
        (ROWS[0], "was there before"),
        ("hello", "expected a JSON object"),
        ("3.5", "expected a JSON object, found 3.5"),
        ("[" * 5000, "expected a JSON object"),
        ('{"a": ' * 5000, "nested too deep"),
        ('{"a": ' + "9" * 5000 + "}", "expected a JSON object"),
        ('{"fileName": "d.jpg", "annoDetails": [', "expected a JSON object"),
        ('{"some": "thing"}', "an object with 'some'"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(write: Write, row: str, what: str) -> None:
    found = read_annotations(write("\n".join([ROWS[0], row, ROWS[1]])))
    assert [image.file for image in found.images] == ["a.jpg", "b.jpg"]
    assert [problem.line for problem in found.problems] == ([2] if set(row) != {"["} else [])
    assert all(what in str(problem) for problem in found.problems)


def test_a_last_line_that_was_cut_off(write: Write) -> None:
    found = read_annotations(write("\n".join(ROWS)[:-9]))
    assert (len(found.images), places(found)) == (2, [(3, "")])


def test_a_photo_whose_marks_are_all_bad_is_left_out(write: Write) -> None:
    found = read_annotations(write(whale("a.jpg", ("wart", [[0.5, 0.5]]))))
    assert found.images == ()
    assert places(found) == [(1, "mark 1"), (1, "")]


def test_bytes_that_are_no_utf8_are_named_by_their_line(write: Write) -> None:
    found = read_annotations(write(ROWS[0].encode() + b"\n" + ROWS[1].encode("gbk") + b"\n" + ROWS[2].encode()))
    assert [image.file for image in found.images] == ["a.jpg", "c.jpg"]
    assert {problem.line for problem in found.problems} == {2}
    assert "UTF-8" in found.problems[0].what


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"[]", b"\n\n", b"\x00\x01", b"<html>"])
def test_a_file_without_annotations_says_so(write: Write, content: bytes) -> None:
    found = read_annotations(write(content))
    assert found.images == ()
    assert len(found.problems) == 1


def test_the_table_of_labels_is_laid_over_the_default(write: Write, tmp_path: Path) -> None:
    path = write(whale("a.jpg", MOLE, ("wart", [[0.5, 0.5]]), ("beard", [[0.1, 0.1]])))
    table = tmp_path / "labels.yaml"
    table.write_text("wart: pimple\nbeard: null\n", encoding="utf-8")
    found = read_annotations(path, labels=table)
    assert found.problems == ()
    assert [kind for kind, _ in seen(found.images[0])] == ["mole", "pimple"]
    assert read_annotations(path, labels={"痣": "spot", "wart": None, "beard": None}).images[0].marks[0].kind == "spot"


@pytest.mark.parametrize("table", ["wart: big", "[1, 2]", "{", "3: mole", "[a]: mole", "\ud800"])
def test_a_wrong_table_is_refused(write: Write, tmp_path: Path, table: str) -> None:
    (tmp_path / "labels.json").write_bytes(table.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"labels\.json"):
        read_annotations(write(ROWS[0]), labels=tmp_path / "labels.json")


def test_what_cannot_be_read_at_all_is_an_error(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("\n".join(ROWS))
    for wrong in ({"images": tmp_path / "none"}, {"labels": tmp_path / "none"}):
        with pytest.raises(InputError, match="none"):
            read_annotations(path, **wrong)
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="cannot read"):
            read_annotations(missing)
    monkeypatch.setattr(formats, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="split it"):
        read_annotations(path)


def test_a_large_file_of_something_else_ends_soon(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_UNREADABLE", 20)
    found = read_annotations(write("{oops\n" * 100_000))
    assert len(found.problems) == 21
    assert "the rest was not read" in found.problems[-1].what


OWN: dict[str, Any] = {
    "format": "portraitist-marks",
    "version": 1,
    "images": [
        {
            "file": "a.jpg",
            "sha256": "0" * 64,
            "width": 200,
            "height": 100,
            "marks": [
                {"kind": "mole", "points": [[10.1, 20]], "diameter": 5.0, "sure": False},
                {"kind": "wrinkle", "points": [[1, 2], [3, 4], [5, 6]]},
            ],
            "crowded": [[[0, 0], [10, 0], [10, 10]]],
        },
        {"file": "not-here.jpg", "marks": []},
    ],
}


def test_our_own_format_is_read(write: Write) -> None:
    found = read_annotations(write(json.dumps(OWN)))
    assert found.problems == ()
    first, second = found.images
    assert (first.size, first.sha256, len(first.crowded)) == ((200, 100), "0" * 64, 1)
    assert (first.marks[0].diameter, first.marks[0].is_sure, first.marks[1].diameter) == (5.0, False, None)
    assert np.array_equal(first.marks[0].points, np.array([[10.1, 20]], np.float32))
    assert (second.size, second.marks) == (None, ())


def test_bad_entries_of_our_own_format_are_numbered(write: Write, tmp_path: Path) -> None:
    good = OWN["images"][0]
    wrong_marks = [
        {"kind": "mole", "points": [[201, 5]]},
        {"kind": ["mole"], "points": [[1, 5]]},
        {"kind": "mole", "points": [[1, 5]], "diameter": "5"},
        {"kind": "mole", "points": [[1, 5]], "sure": "yes"},
        "mole",
        {"kind": "mole", "points": [[1, 5]]},
    ]
    images = [
        {**good, "marks": wrong_marks, "crowded": [[[1, 1]]]},
        good,
        {**good, "file": "b.jpg", "width": 300},
        {**good, "file": "c.jpg", "width": "200"},
        {**good, "file": "d.jpg", "sha256": "x"},
        7,
        {**good, "file": "gone.jpg"},
    ]
    path = write(json.dumps({**OWN, "images": images}))
    found = read_annotations(path)
    assert [image.file for image in found.images] == ["a.jpg", "gone.jpg"]
    assert len(found.images[0].marks) == 1
    wrong = [f"image 1, mark {place}" for place in range(1, 6)] + ["image 1, crowded 1"]
    wrong += [f"image {place}" for place in (3, 4, 5, 6, 2)]
    assert [problem.entry for problem in found.problems] == wrong
    assert "gone.jpg" in str(read_annotations(path, images=tmp_path / "images").problems)


def test_a_file_of_ours_that_was_cut_off_keeps_its_whole_images(write: Write) -> None:
    text = json.dumps(OWN, indent=2)
    found = read_annotations(write(text[: text.index('"not-here')]))
    assert [image.file for image in found.images] == ["a.jpg"]
    assert found.problems[0].line == 1


def test_another_version_is_not_guessed_at(write: Write) -> None:
    found = read_annotations(write(json.dumps({**OWN, "version": 2})))
    assert (found.images, "version" in found.problems[0].what) == ((), True)


def test_one_photo_twice_is_not_written(tmp_path: Path) -> None:
    image = AnnotatedImage("a.jpg", (5, 5), None, ())
    for writer in (write_own, write_coco):
        with pytest.raises(InputError, match="one entry a photo"):
            writer(tmp_path / "x.json", [image, image])
    with pytest.raises(InputError, match="found no size"):
        write_coco(tmp_path / "x.json", [AnnotatedImage("a.jpg", None, None, ())])
    assert not (tmp_path / "x.json").exists()
