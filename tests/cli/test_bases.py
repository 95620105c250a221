"""`portraitist bases`: the list, and fetching from a hub on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="needs portraitist[diffusion]")

from portraitist import weights
from portraitist.cli.main import main
from portraitist.diffusion.bases import BASES
from portraitist.diffusion.bases_files import MINI_WEIGHTS, base_folder
from tests.diffusion.hub_server import COMMIT, HubServer, running_hub

TURBO = BASES["z-image-turbo"]
FILES = {
    "model_index.json": b"{}",
    "transformer/config.json": b"{}",
    "transformer/diffusion_pytorch_model.safetensors": b"t" * 5000,
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    for path, body in FILES.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_bytes(body)
    with running_hub({str(TURBO.repository): tmp_path / "source"}) as server:
        monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("PORTRAITIST_HUB", raising=False)
        monkeypatch.delenv("PORTRAITIST_OFFLINE", raising=False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    """The JSON list, by name."""
    capsys.readouterr()
    assert main(["bases", "--json"]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_the_list_has_every_row(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bases"]) == 0
    out = capsys.readouterr().out
    for base in BASES.values():
        assert base.name in out
        assert base.licence in out
    assert "use restrictions" in out
    rows = listed(capsys)
    assert list(rows) == list(BASES)
    assert rows["sd15"]["training"]["rank"] == 128  # type: ignore[index]
    assert rows["sd15"]["here"] is rows["sd15"]["bytes"] is rows["sd15"]["revision"] is None
    assert main(["bases", "list", "--json"]) == 0


def test_fetch_shows_the_revision_and_checks_it_later(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["bases", "fetch", TURBO.name, "--mirror", hub.address]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert f"{TURBO.name}: fetched" in out
    assert COMMIT in out
    row = listed(capsys)[TURBO.name]
    assert (row["revision"], row["bytes"], row["hub"]) == (COMMIT, sum(map(len, FILES.values())), hub.address)
    assert main(line) == 0
    assert "digests ok" in capsys.readouterr().out
    changed = base_folder(TURBO) / "transformer" / "diffusion_pytorch_model.safetensors"
    changed.write_bytes(b"T" * 5000)
    assert main(line) == 1
    assert "CHANGED" in capsys.readouterr().out


def test_offline_is_one_line(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["bases", "fetch", "sdxl"]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "portraitist bases fetch sdxl" in error


def test_names_that_are_no_rows(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bases", "fetch", "sd35"]) == 3
    assert "expected one of mini, sd15" in capsys.readouterr().err


def test_mini_is_fetched_only_once_accepted(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mini.npz").write_bytes(b"mini")
    source = weights.ProjectFile("mini.npz")
    row = weights.WeightsRow(MINI_WEIGHTS, source, None, 4, "CC-BY-NC-SA-4.0", "test", noncommercial=True)
    monkeypatch.setitem(weights.TABLE, MINI_WEIGHTS, row)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path / "weights"))
    assert main(["bases", "fetch", "mini"]) == 4
    assert "accept-nc" in capsys.readouterr().err
    assert main(["bases", "fetch", "mini", "--accept-nc"]) == 0
    assert "not for commercial use" in capsys.readouterr().out
