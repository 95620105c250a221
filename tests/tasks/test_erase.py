"""Erase: everything of one person goes, nothing of anybody else, and a kill is finished later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portraitist.errors import InputError
from portraitist.library import Consent, Library, write_atomic
from portraitist.provenance import Input, Recipe, save_portrait, saved_portraits
from portraitist.tasks import erase as module
from portraitist.tasks.erase import erase, finish_interrupted, what_would_go
from portraitist.types import Image


def _portrait(library: Library, owner: str, people: tuple[str, ...], image: Image, name: str) -> Path:
    inputs = tuple(Input("album", "ab" * 32, "/p.jpg", person) for person in people)
    recipe = Recipe("shoot", "compose", {}, 0, 0, people, inputs)
    return save_portrait(image, recipe, library.sitter(owner).portraits_dir, name).path


@pytest.fixture
def peopled(library: Library, astronaut: Image) -> Library:
    for name in ("anna", "bob"):
        sitter = library.create_sitter(name, Consent.now(name, "test"))
        write_atomic(sitter.album_dir / "album.json", b"{}")
    small = astronaut[:32, :32]
    _portrait(library, "anna", ("anna",), small, "alone")
    together = _portrait(library, "bob", ("bob", "anna"), small, "together")
    write_atomic(together.with_name("together-sheet.png"), b"a print sheet")
    _portrait(library, "bob", ("bob",), small, "bob-alone")
    write_atomic(library.cache_dir / "template" / "x.npz", b"cached")
    return library


def test_everything_of_the_person_goes_and_nothing_else(peopled: Library) -> None:
    expected = {str(p.relative_to(peopled.root)) for p in what_would_go(peopled, "anna")}
    log = erase(peopled, "anna")
    assert set(log["removed"]) == expected
    assert [s.name for s in peopled.sitters()] == ["bob"]
    left = {p.name for p in peopled.root.rglob("*") if p.is_file()}
    assert left == {"sitter.json", "album.json", "bob-alone.png", "bob-alone.json"}
    assert not (peopled.sitters_dir / "anna").exists()
    assert [p.path.name for p in saved_portraits(peopled.sitter("bob").portraits_dir)] == ["bob-alone.png"]


def test_unknown_people_are_refused(peopled: Library) -> None:
    with pytest.raises(InputError, match="carol"):
        erase(peopled, "carol")


@pytest.mark.parametrize("survived", range(0, 8, 2))
def test_a_kill_is_finished_by_the_next(peopled: Library, monkeypatch: pytest.MonkeyPatch, survived: int) -> None:
    real, left = Path.unlink, [survived]

    def dying(self: Path, missing_ok: bool = False) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", dying)
    with pytest.raises(KeyboardInterrupt):
        erase(peopled, "anna")
    monkeypatch.undo()
    assert finish_interrupted(peopled)
    assert not finish_interrupted(peopled)
    assert [s.name for s in peopled.sitters()] == ["bob"]
    assert not any("together" in p.name for p in peopled.root.rglob("*"))


def test_a_link_out_of_the_library_is_cut_not_followed(peopled: Library, tmp_path: Path) -> None:
    precious = write_atomic(tmp_path / "precious.jpg", b"photo")
    os.symlink(precious, peopled.sitter("anna").album_dir / "link.jpg")
    os.symlink(tmp_path, peopled.sitter("anna").album_dir / "folder")
    erase(peopled, "anna")
    assert precious.read_bytes() == b"photo"
    assert module.what_would_go(peopled, "bob")
