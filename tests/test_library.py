"""The library: names, consent, what it accepts, atomic writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist import __version__
from portraitist.errors import InputError
from portraitist.library import Consent, Library, checked_name, read_json, unnamed_id, write_atomic, write_json


def test_a_sitter_is_found_again_with_their_consent(library: Library) -> None:
    made = library.create_sitter("Änne O’Hara", Consent.now("Änne", "in person"))
    found = Library(library.root).sitter("Änne O’Hara")
    assert found == made
    assert (found.consent.who, found.consent.how) == ("Änne", "in person")
    assert found.consent.when.endswith("+00:00")


def test_first_consent_is_kept(library: Library) -> None:
    library.create_sitter("anna", Consent("anna", "2026-01-01T00:00:00+00:00", "paper"))
    again = library.create_sitter("anna", Consent.now("somebody else", "later"))
    assert again.consent.who == "anna"


def test_unknown_sitter_names_the_known(library: Library) -> None:
    library.create_sitter("anna", Consent.now("anna", "test"))
    with pytest.raises(InputError, match="it has: anna"):
        library.sitter("bob")


def test_opening_a_library_creates_nothing(tmp_path: Path) -> None:
    assert Library(tmp_path / "new").sitters() == []
    assert not (tmp_path / "new").exists()


def test_unnamed_sitters_are_called_by_their_photo(library: Library) -> None:
    sitter = library.create_sitter(unnamed_id("0123456789abcdef" * 4), Consent.now("me", "flag"))
    assert sitter.name == "unnamed-0123456789ab"


@pytest.mark.parametrize("name", ["", " ", ".", "..", ".hidden", "a/b", "a\\b", "a\nb", "a\0b", "x" * 121, "C:"])
def test_names_no_file_system_takes(name: str) -> None:
    with pytest.raises(InputError):
        checked_name(name)


@given(st.text(max_size=40))
def test_a_checked_name_stays_one_folder(name: str) -> None:
    try:
        plain = checked_name(name)
    except InputError:
        return
    assert (Path("/root") / plain).resolve().parent == Path("/root")
    assert checked_name(plain) == plain


def test_consent_needs_a_name() -> None:
    with pytest.raises(InputError, match="consent"):
        Consent.now("  ", "flag")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomic(tmp_path / "f", b"old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_json_is_read_back_and_nan_refused(tmp_path: Path) -> None:
    value = {"ü": [1, 2.5, None]}
    assert read_json(write_json(tmp_path / "v.json", value)) == value
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "v.json", float("nan"))
    assert read_json(tmp_path / "v.json") == value


def test_reading_what_is_no_json_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_bytes(b"{half")
    with pytest.raises(InputError, match=r"v\.json"):
        read_json(tmp_path / "v.json")
    with pytest.raises(InputError, match="nothing there"):
        read_json(tmp_path / "none.json")


def test_the_environment_names_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTRAITIST_LIBRARY", str(tmp_path / "mine"))
    assert Library().root == tmp_path / "mine"


def test_noncommercial_weights_are_accepted_once_a_library(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not library.accepts_noncommercial
    assert not library.root.exists()
    library.accept_noncommercial("test")
    assert Library(library.root).accepts_noncommercial
    record = read_json(library.root / "noncommercial.json")
    assert (record["how"], record["version"]) == ("test", __version__)
    assert record["when"].endswith("+00:00")
    library.accept_noncommercial("again")
    assert read_json(library.root / "noncommercial.json") == record
    assert not Library(library.root / "another").accepts_noncommercial
