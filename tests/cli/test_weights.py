"""`portraitist weights` with rows that are marked non-commercial or have no source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from portraitist import weights
from portraitist.cli.main import main

BODY = b"weights" * 20


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A table of three rows whose files lie in a folder of the environment; `lost` does not."""
    digest = hashlib.sha256(BODY).hexdigest()
    lists = json.dumps({"a.bin": {"sha256": digest, "bytes": len(BODY)}}).encode()
    for name in ("free", "marked"):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / "digests.json").write_bytes(lists)
        (tmp_path / "own" / name / "a.bin").write_bytes(BODY)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path / "own"))
    monkeypatch.setattr(
        weights,
        "TABLE",
        {
            name: weights.WeightsRow(
                name,
                weights.ProjectFolder(name),
                hashlib.sha256(lists).hexdigest(),
                len(BODY),
                "CC-BY-NC-SA-4.0" if name == "marked" else "Apache-2.0",
                "test",
                noncommercial=name == "marked",
            )
            for name in ("free", "marked", "lost")
        },
    )


@pytest.fixture
def root(tmp_path: Path) -> list[str]:
    """`--library` with a library of its own."""
    return ["--library", str(tmp_path / "lib")]


def test_fetch_without_names_says_what_it_leaves_out(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "fetch", *root]) == 0
    free, marked, lost = sorted(capsys.readouterr().out.splitlines(), key=lambda line: "fml".index(line[0]))
    assert free.endswith("free")
    assert "accept-nc" in marked
    assert "PORTRAITIST_WEIGHTS" in lost


def test_marked_weights_by_name_need_acceptance(
    root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weights", "fetch", "free", "marked", *root]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert "not for commercial use" in said.err
    assert not (tmp_path / "lib").exists()
    assert main(["weights", "fetch", "marked", "--accept-nc", *root]) == 0
    assert main(["weights", "fetch", "marked", *root]) == 0


def test_an_unknown_name_accepts_nothing(root: list[str], tmp_path: Path) -> None:
    assert main(["weights", "fetch", "magic", "--accept-nc", *root]) == 4
    assert not (tmp_path / "lib").exists()


def test_accept_nc_is_for_one_library(root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "accept-nc", *root]) == 0
    assert "marked" in capsys.readouterr().out
    assert main(["weights", "fetch", *root]) == 0
    assert str(tmp_path / "own" / "marked") in capsys.readouterr().out
    assert main(["weights", "fetch", "marked", "--library", str(tmp_path / "other")]) == 4


def test_list_and_doctor_show_the_mark(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", *root]) == 0
    assert "nc, not accepted" in capsys.readouterr().out
    main(["doctor", *root])
    assert "marked: not accepted" in capsys.readouterr().out
    main(["weights", "accept-nc", *root])
    capsys.readouterr()
    assert main(["weights", "list", "--json", *root]) == 0
    listed = {row["name"]: (row["noncommercial"], row["accepted"]) for row in json.loads(capsys.readouterr().out)}
    assert listed == {"free": (False, None), "marked": (True, True), "lost": (False, None)}
    main(["doctor", *root])
    assert "marked: accepted" in capsys.readouterr().out
