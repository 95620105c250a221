"""The map comes back as it was written, keeps ids and choices, and refuses what it does not know."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.library import Consent, Library, write_json
from portraitist.marks import map as module
from portraitist.marks.map import MarksMap, map_of, read_map, write_map
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.tasks.erase import erase, what_would_go
from tests.marks.meshes import head
from tests.marks.test_match import CHEEKS, SIDED, mirror_picture, photo, wrinkle


def with_patches(found: MarksMap, seed: int = 0) -> MarksMap:
    random = np.random.default_rng(seed)
    patches = [random.integers(0, 256, (8 + i, 8 + i, 4), np.uint8) for i in range(len(found.marks) - 1)]
    marks = [replace(mark, patch=patch) for mark, patch in zip(found.marks, patches, strict=False)]
    return replace(found, marks=(*marks, *found.marks[len(marks) :]))


@pytest.fixture
def found() -> MarksMap:
    first = replace(photo("a", CHEEKS), wrinkles=(wrinkle(head(), (69, 108, 151)),))
    return with_patches(map_of([first, photo("b", CHEEKS, 10, 1)]))


def same(one: PointMark | Wrinkle, other: PointMark | Wrinkle) -> bool:
    def plain(mark: PointMark | Wrinkle) -> list[object]:
        values = [getattr(mark, field.name) for field in fields(mark)]
        return [v.tolist() if isinstance(v, np.ndarray) else v for v in values]

    return plain(one) == plain(other)


def test_a_map_comes_back_as_it_was(found: MarksMap, tmp_path: Path) -> None:
    write_map(found, tmp_path)
    again = read_map(tmp_path)
    assert (again.photos, again.mirrored) == (("a", "b"), ())
    assert len(again.all) == len(found.all) == len(CHEEKS) + 1
    assert all(same(one, other) for one, other in zip(again.all, found.all, strict=True))
    assert sum(mark.patch is None for mark in again.marks) == 1


def test_an_empty_map_has_no_patches_file(tmp_path: Path) -> None:
    write_map(MarksMap(), tmp_path)
    assert read_map(tmp_path).all == ()
    assert [p.name for p in tmp_path.iterdir()] == ["marks.json"]


def test_a_kill_before_the_record_leaves_the_old_map(
    found: MarksMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_map(found, tmp_path)

    def dying(path: Path, value: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_json", dying)
        with pytest.raises(KeyboardInterrupt):
            write_map(with_patches(found, 1), tmp_path)
    assert same(read_map(tmp_path).marks[0], found.marks[0])
    write_map(with_patches(found, 2), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "expected version 1, found 2"),
        ({"format": "else"}, "expected a marks map"),
        ({"marks": [{}]}, "whole marks map"),
        ({"patches": "patches-none.npz"}, "expected the patches"),
    ],
)
def test_a_map_that_is_not_ours_says_what_to_do(
    found: MarksMap, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    path = write_map(found, tmp_path)
    write_json(path, {**json.loads(path.read_text()), **change})
    with pytest.raises(InputError, match=says) as caught:
        read_map(tmp_path)
    assert "again" in str(caught.value)


def test_no_map_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing"):
        read_map(tmp_path)


def test_a_mark_keeps_its_id_and_the_choice_made_for_it(found: MarksMap) -> None:
    chosen = found.with_action(found.marks[2].mark_id, "remove")
    later = map_of([photo("c", (*CHEEKS, 10), 5, 1.5), photo("d", CHEEKS, -5, 1)], chosen)
    ids = {mark.mark_id: mark.action for mark in later.marks}
    assert {mark.mark_id for mark in found.marks} < set(ids)
    assert ids[found.marks[2].mark_id] == "remove"
    assert sum(action == "keep" for action in ids.values()) == len(ids) - 1


def test_unknown_ids_and_actions_are_refused(found: MarksMap) -> None:
    with pytest.raises(InputError, match="choose one of these"):
        found.with_action("mole-nothing", "keep")
    with pytest.raises(InputError, match="keep, soften, remove"):
        found.with_action(found.marks[0].mark_id, "paint")  # type: ignore[arg-type]


def test_a_map_says_which_photos_are_mirrored() -> None:
    photos = [photo("a", SIDED), mirror_picture(photo("b", SIDED)), photo("c", SIDED)]
    found = map_of(photos)
    assert found.mirrored == ("b",)
    assert len(found.marks) == len(SIDED)


def test_erase_removes_the_map(found: MarksMap, library: Library) -> None:
    sitter = library.create_sitter("anna", Consent.now("anna", "test"))
    other = library.create_sitter("bob", Consent.now("bob", "test"))
    for one in (sitter, other):
        write_map(found, one.marks_dir)
    assert {p.suffix for p in what_would_go(library, "anna") if p.parent == sitter.marks_dir} == {".json", ".npz"}
    removed = erase(library, "anna")["removed"]
    assert "sitters/anna/marks/marks.json" in removed
    assert not sitter.folder.exists()
    assert len(read_map(other.marks_dir).marks) == len(CHEEKS)
