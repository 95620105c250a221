"""The table of ControlNets: found, fetched from a hub on this machine, given as folders, left out with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.bases import BASES
from portraitist.diffusion.controls import (
    CONTROLS,
    KINDS,
    Control,
    control_folder,
    fetch_control,
    find_control,
    parse_controls,
    place_controls,
    read_control,
)
from portraitist.errors import ConfigError, InputError, WeightsError
from tests.diffusion.hub_server import HubServer, running_hub
from tests.diffusion.tiny_bases import tiny_pipeline
from tests.diffusion.tiny_painters import tiny_control

SD15 = BASES["sd15"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Every repository of sd15's controls, its files made up, beside what is not wanted of them."""
    served: dict[str, Path] = {}
    for control in CONTROLS:
        source = served.setdefault(control.repository, tmp_path / "hub" / control.repository)
        folder = source / control.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"):
            (folder / name).write_bytes(f"{control.kind} {name}".encode())
        (source / "sd.png").write_bytes(b"picture")
    monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path / "cache"))
    for name in ("PORTRAITIST_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with running_hub(served) as server:
        monkeypatch.setenv("PORTRAITIST_HUB", server.address)
        yield server


def test_rows_are_of_known_kinds_and_families() -> None:
    assert len({(row.kind, row.family) for row in CONTROLS}) == len(CONTROLS)
    for row in CONTROLS:
        assert row.kind in KINDS
        assert row.family in {base.family for base in BASES.values()}
        assert row.licence
        assert row.revision is None
    assert find_control("colour", "sd15") is None
    assert find_control("tile", "sdxl") in CONTROLS


@pytest.mark.parametrize("control", [row for row in CONTROLS if row.family == "sd15"], ids=lambda row: row.kind)
def test_weights_and_configuration_come_and_no_pickle(hub: HubServer, control: Control) -> None:
    folder = fetch_control(control)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "diffusion_pytorch_model.safetensors"]
    assert (folder / "config.json").read_text().startswith(control.kind)
    asked = len(hub.asked)
    assert fetch_control(control) == folder
    assert len(hub.asked) == asked


def test_offline_says_what_and_where(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"control canny for sd15.*lllyasviel/control_v11p_sd15_canny.*--controls"):
        fetch_control(CONTROLS[0])
    assert not control_folder(CONTROLS[0]).exists()


def test_a_kind_without_a_row_is_left_out_and_said(hub: HubServer, tmp_path: Path) -> None:
    places, left_out = place_controls(SD15, ("canny", "colour", "tile"), {"tile": None})
    assert list(places) == ["canny"]
    assert len(left_out) == 2
    assert "colour" in left_out[0]
    assert "--controls colour=" in left_out[0]
    assert "as asked" in left_out[1]
    places, left_out = place_controls(SD15, ("colour",), {"colour": tmp_path})
    assert (places, left_out) == ({"colour": tmp_path}, ())


def test_own_controls_are_read() -> None:
    assert parse_controls(["canny=/a/b", "tile=none"]) == {"canny": Path("/a/b"), "tile": None}
    for wrong in (["canny"], ["canny="], ["mesh=/a"], ["canny=/a", "canny=/b"]):
        with pytest.raises(ConfigError, match="KIND=FOLDER"):
            parse_controls(wrong)


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_a_folder_becomes_a_network(tmp_path: Path, variant: str | None) -> None:
    made = tiny_control("sd15", tiny_pipeline("sd15"))
    made.save_pretrained(tmp_path, variant=variant)
    read = read_control(tmp_path, torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), read.parameters(), strict=True))


def test_a_folder_without_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a ControlNet"):
        read_control(tmp_path, torch.float32)
