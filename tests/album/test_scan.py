"""Finding files: one order, no loops, a reason for everything odd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portraitist.album.config import AlbumConfig
from portraitist.album.scan import is_video, scan
from portraitist.errors import ConfigError, InputError


def test_folders_are_walked_in_one_order_without_litter(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/10.jpg", "a/é.jpg", "a/x/deep.jpg", ".hidden/no.jpg", "a/.DS_Store", "b/Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = scan([tmp_path / "b", tmp_path / "a", tmp_path / "b" / "2.jpg"])
    assert [f.path.relative_to(tmp_path).as_posix() for f in found.files] == [
        "a/x/deep.jpg",
        "a/é.jpg",
        "b/10.jpg",
        "b/2.jpg",
    ]
    assert found.rejected == ()
    assert scan([tmp_path]).files == found.files


def test_symlink_loops_end_with_a_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    (tmp_path / "in" / "photo.jpg").write_bytes(b"x")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    found = scan([tmp_path])
    assert [f.path.name for f in found.files] == ["photo.jpg"]
    assert {(r.file, r.code) for r in found.rejected} == {("up", "loop"), ("self.jpg", "unreadable")}


def test_the_same_name_in_two_spellings_stays_two_files(tmp_path: Path) -> None:
    composed, decomposed = tmp_path / "caf\u00e9.jpg", tmp_path / "cafe\u0301.jpg"
    composed.write_bytes(b"1")
    decomposed.write_bytes(b"2")
    if len(os.listdir(tmp_path)) == 1:
        pytest.skip("this file system folds the two spellings")
    assert {f.path for f in scan([tmp_path]).files} == {composed, decomposed}


def test_limits(tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"{i}.jpg").write_bytes(b"x" * (10 if i else 1000))
    found = scan([tmp_path], AlbumConfig(max_files=3, max_bytes=100))
    assert [f.path.name for f in found.files] == ["1.jpg", "2.jpg", "3.jpg"]
    assert {(r.file, r.code) for r in found.rejected} == {("0.jpg", "unreadable"), ("4.jpg", "limit")}
    with pytest.raises(ConfigError):
        AlbumConfig(max_files=0)


def test_a_missing_path_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        scan([tmp_path / "nowhere"])


def test_videos_are_told_by_content(tmp_path: Path) -> None:
    heads = {
        "a.jpg": b"\x00\x00\x00\x18ftypisom",
        "b.mp4": b"\x00\x00\x00\x18ftypheic",
        "c": b"\x1a\x45\xdf\xa3",
        "d.mov": b"?",
    }
    for name, head in heads.items():
        (tmp_path / name).write_bytes(head + bytes(16))
    assert {name: is_video(tmp_path / name) for name in heads} == {
        "a.jpg": True,
        "b.mp4": False,
        "c": True,
        "d.mov": True,
    }


def test_names_that_are_not_unicode_are_rejected(tmp_path: Path) -> None:
    try:
        with open(os.path.join(os.fsencode(tmp_path), b"\xff\xfe.jpg"), "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    (rejection,) = scan([tmp_path]).rejected
    assert rejection.path.encode()
    assert "rename" in rejection.reason
