"""The annotated folder: what is saved, what is refused, and what survives a kill and a second program."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage
from portraitist.marks.formats import read_annotations
from portraitist.marks.formats.own import write_own
from portraitist.tasks.annotate_marks import AnnotatedFolder, SavedElsewhere

MOLE = {"kind": "mole", "points": [[10.25, 20]], "diameter": 5.5, "sure": False}
WRINKLE = {"kind": "wrinkle", "points": [[1, 2], [30, 40]]}


def row(*marks: Any, crowded: Any = (), done: bool = False) -> dict[str, Any]:
    return {"marks": list(marks), "crowded": list(crowded), "done": done}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """a.png (40 x 60), below/b.jpg lying on its side, and what is no photo."""
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    PillowImage.fromarray(np.full((60, 40, 3), 128, np.uint8)).save(folder / "a.png")
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    PillowImage.fromarray(np.zeros((30, 50, 3), np.uint8)).save(folder / "below" / "b.jpg", exif=exif)
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_the_photos_of_a_folder_upright_and_what_is_none(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    assert [(photo.file, photo.size) for photo in folder.photos] == [("a.png", (40, 60)), ("below/b.jpg", (30, 50))]
    assert len(folder.left_out) == 1
    assert folder.left_out[0].startswith("notes.txt")
    assert not folder.out.exists()
    assert folder.picture(1).startswith(b"\xff\xd8")
    assert folder.photo(1).pixels().shape == (50, 30, 3)


def test_saved_marks_are_read_back_by_everybody(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    revision = folder.save(0, row(MOLE, WRINKLE, crowded=[[[1, 1], [9, 1], [9, 9]]]), "")
    folder.save(1, row(done=True), "")
    imported = read_annotations(folder.out, images=photos)
    assert imported.problems == ()
    first, second = imported.images
    assert [mark.kind for mark in first.marks] == ["mole", "wrinkle"]
    assert first.marks[0].points.tolist() == [[10.25, 20]]
    assert (first.marks[0].diameter, first.marks[0].is_sure, first.marks[1].diameter) == (5.5, False, None)
    assert first.sha256 == folder.photo(0).digest
    assert len(first.crowded) == 1
    assert (second.file, second.marks) == ("below/b.jpg", ())
    assert AnnotatedFolder.open(photos).revision(0) == revision == folder.revision(0) != ""


def test_without_marks_only_a_photo_that_is_done_is_in_the_file(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    before = folder.save(0, row(MOLE), "")
    before = folder.save(0, row(done=True), before)
    assert read_annotations(folder.out).images[0].marks == ()
    assert folder.save(0, row(), before) == ""
    assert not folder.out.exists(), "a file without annotations would be refused by whoever reads it"
    assert AnnotatedFolder.open(photos).saved(0) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (row({**MOLE, "points": [[41, 20]]}), "inside 40 x 60"),
        (row({**MOLE, "points": [[float("nan"), 20]]}), "expected a number"),
        (row(MOLE, {**MOLE, "kind": "dimple"}), "mark 2: kind"),
        (row(MOLE, MOLE), "there already"),
        (row({**WRINKLE, "points": [[1, 2]]}), "two or more"),
        (row({**MOLE, "diameter": -1}), "above 0"),
        (row(crowded=[[[1, 1], [2, 2]]]), "three or more"),
        (row("mole"), "expected a JSON object"),
        ({**row(), "marks": {}}, "expected a list"),
        ({**row(), "done": 1}, "true or false"),
    ],
)
def test_what_no_mark_can_be_is_refused_and_nothing_is_written(photos: Path, wrong: Any, words: str) -> None:
    folder = AnnotatedFolder.open(photos)
    folder.save(1, row(MOLE), "")
    before = folder.out.read_bytes()
    with pytest.raises(InputError, match=words):
        folder.save(0, wrong, "")
    assert folder.out.read_bytes() == before
    assert folder.saved(0) is None


def test_a_page_cannot_name_the_photo(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    folder.save(0, {**row(MOLE), "file": "../../elsewhere.png", "width": 9, "sha256": "0" * 64}, "")
    assert [image.file for image in read_annotations(folder.out).images] == ["a.png"]


def test_a_second_tab_is_told_and_the_same_change_twice_is_not(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    first = folder.save(0, row(MOLE), "")
    assert folder.save(0, row(MOLE), "") == first, "the answer was lost, the page sent it again"
    with pytest.raises(SavedElsewhere, match="load the photo again"):
        folder.save(0, row(WRINKLE), "")
    assert folder.save(0, row(WRINKLE), first) != first


def test_another_program_may_annotate_other_photos_meanwhile(photos: Path) -> None:
    ours, theirs = AnnotatedFolder.open(photos), AnnotatedFolder.open(photos)
    theirs.save(1, row(MOLE), "")
    ours.save(0, row(MOLE), "")
    assert {image.file for image in read_annotations(ours.out).images} == {"a.png", "below/b.jpg"}
    with pytest.raises(SavedElsewhere):
        theirs.save(0, row(WRINKLE), "")


def test_entries_about_photos_elsewhere_stay(photos: Path) -> None:
    write_own(photos / "annotations.marks.json", [AnnotatedImage("gone.png", (9, 9), None, ())])
    folder = AnnotatedFolder.open(photos)
    folder.save(0, row(MOLE), "")
    assert [image.file for image in read_annotations(folder.out).images] == ["gone.png", "a.png"]


def test_a_write_that_fails_leaves_the_file_whole(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = AnnotatedFolder.open(photos)
    before = folder.save(0, row(MOLE), "")
    whole = folder.out.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            folder.save(0, row(WRINKLE), before)
    assert folder.out.read_bytes() == whole
    assert folder.revision(0) == before
    folder.save(0, row(WRINKLE), before)
    assert read_annotations(folder.out).images[0].marks[0].kind == "wrinkle"


def test_a_file_that_cannot_be_read_as_a_whole_is_not_written_over(photos: Path) -> None:
    folder = AnnotatedFolder.open(photos)
    folder.save(0, row(MOLE), "")
    torn = folder.out.read_bytes()[:-30]
    folder.out.write_bytes(torn)
    with pytest.raises(InputError, match="nothing was changed"):
        AnnotatedFolder.open(photos)
    with pytest.raises(InputError, match="nothing was changed"):
        folder.save(1, row(MOLE), "")
    assert folder.out.read_bytes() == torn


def test_a_photo_of_another_size_is_refused(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "else" / "x.marks.json"
    folder = AnnotatedFolder.open(photos, out)
    folder.save(0, row(MOLE), "")
    shutil.copy(photos / "below" / "b.jpg", photos / "a.png")
    with pytest.raises(InputError, match="start the annotation anew"):
        folder.save(0, row(), folder.revision(0))
    with pytest.raises(InputError, match="annotated at 40 x 60"):
        AnnotatedFolder.open(photos, out)


def test_folders_and_names_that_cannot_be_used(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder"):
        AnnotatedFolder.open(photos / "a.png")
    with pytest.raises(InputError, match=r"ends in \.marks\.json"):
        AnnotatedFolder.open(photos, photos / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected photos"):
        AnnotatedFolder.open(tmp_path / "empty")
