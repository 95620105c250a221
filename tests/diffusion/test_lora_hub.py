"""One LoRA file of a repository: only it is downloaded, once, and what is not there is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="needs portraitist[diffusion]")

from portraitist.diffusion.lora_hub import HubLora, fetch_lora
from portraitist.errors import WeightsError
from tests.diffusion.hub_server import HubServer, running_hub

LORA = HubLora("huggingface", "someone/looks", "soft/look.safetensors")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    source = tmp_path / "source"
    (source / "soft").mkdir(parents=True)
    (source / "soft" / "look.safetensors").write_bytes(b"look" * 500)
    (source / "other.safetensors").write_bytes(b"other")
    (source / "look.bin").write_bytes(b"pickle")
    with running_hub({"someone/looks": source}) as server:
        monkeypatch.setenv("PORTRAITIST_HUB", server.address)
        monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path / "cache"))
        for name in ("HF_HUB_OFFLINE", "PORTRAITIST_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_only_the_file_is_downloaded_and_once(hub: HubServer) -> None:
    path = fetch_lora(LORA)
    assert path.read_bytes() == b"look" * 500
    asked = list(hub.asked)
    assert not any("other" in path or ".bin" in path for _, path, _ in asked)
    assert fetch_lora(LORA) == path
    assert hub.asked == asked


def test_offline_it_is_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"expected soft/look\.safetensors .*HF_HUB_OFFLINE"):
        fetch_lora(LORA)


@pytest.mark.parametrize("file", ["gone.safetensors", "../look.safetensors"])
def test_a_file_that_is_not_there_is_said_with_those_that_are(hub: HubServer, file: str) -> None:
    with pytest.raises(WeightsError, match=r"other\.safetensors, soft/look\.safetensors"):
        fetch_lora(replace(LORA, file=file))
