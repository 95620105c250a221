"""Downloading bases from a hub on this machine: whole, broken and continued, changed, refused, offline, mirrored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="needs portraitist[diffusion]")

from portraitist.diffusion.bases import BASES
from portraitist.diffusion.bases_files import (
    base_folder,
    base_record,
    choose_files,
    fetch_base,
    fetch_texts,
    local_folder,
    verify_base,
)
from portraitist.errors import ConfigError, WeightsError
from portraitist.hub import RemoteFile, record_path
from portraitist.progress import Step
from tests.diffusion.hub_server import COMMIT, HubServer, running_hub

SD15 = BASES["sd15"]
UNET = "unet/diffusion_pytorch_model.fp16.safetensors"
WANTED = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "scheduler/scheduler_config.json": b"{}",
    "text_encoder/config.json": b"{}",
    "text_encoder/model.fp16.safetensors": b"t" * 3000,
    "tokenizer/merges.txt": b"#version: 0.2\n",
    "tokenizer/vocab.json": b"{}",
    "unet/config.json": b"{}",
    UNET: bytes(range(256)) * 800,
    # Only in full precision: taken, as there is no half.
    "vae/diffusion_pytorch_model.safetensors": b"v" * 900,
}
LEFT = {
    "README.md": b"#",
    "v1-5-pruned.safetensors": b"x" * 50,
    "unet/diffusion_pytorch_model.safetensors": b"x" * 70,
    "unet/diffusion_pytorch_model.non_ema.safetensors": b"x" * 70,
    "unet/diffusion_pytorch_model.fp16.bin": b"pickle",
    "text_encoder/pytorch_model.bin": b"pickle",
    "safety_checker/model.safetensors": b"x" * 20,
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The repository of sd15 as it is on the hub, its files made up, and an empty cache."""
    source = tmp_path / "source"
    for path, body in {**WANTED, **LEFT}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(body)
    with running_hub({SD15.repository: source, SD15.modelscope: source}) as server:
        monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("PORTRAITIST_HUB", server.address)
        monkeypatch.delenv("PORTRAITIST_OFFLINE", raising=False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_base_is_fetched_once_and_written_down(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_folder(SD15) is None
    steps: list[Step] = []
    folder = fetch_base(SD15, steps.append)
    assert contents(folder) == WANTED
    record = base_record(SD15)
    assert record is not None
    assert (record.revision, record.hub, record.repository) == (COMMIT, hub.address, SD15.repository)
    assert record.size == sum(map(len, WANTED.values()))
    assert COMMIT in steps[-1].message
    assert verify_base(SD15)
    asked = len(hub.asked)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch_base(SD15) == folder
    assert len(hub.asked) == asked


def test_a_broken_download_is_continued(hub: HubServer) -> None:
    hub.stuck[UNET] = 100_000
    with pytest.raises(
        WeightsError, match=r"diffusion_pytorch_model.*expected 204800 bytes, found 100000.*what came is kept"
    ):
        fetch_base(SD15)
    assert local_folder(SD15) is None
    assert base_record(SD15) is None
    hub.stuck.clear()
    hub.asked.clear()
    folder = fetch_base(SD15)
    assert contents(folder) == WANTED
    assert ("GET", UNET, "bytes=100000-") in hub.asked
    assert "text_encoder/model.fp16.safetensors" not in hub.downloads()


def test_a_connection_that_breaks_is_taken_up_again(hub: HubServer) -> None:
    """Each answer stops after 60000 bytes, which a whole download does not notice."""
    hub.most = 60_000
    assert contents(fetch_base(SD15)) == WANTED
    assert [start for _, path, start in hub.asked if path == UNET] == [
        "",
        *(f"bytes={n}-" for n in (60000, 120000, 180000)),
    ]


def test_a_token_goes_to_no_mirror(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch_base(SD15)
    assert set(hub.tokens) == {""}
    base_folder(SD15).joinpath(UNET).unlink()
    monkeypatch.delenv("PORTRAITIST_HUB")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    fetch_base(SD15)
    assert "Bearer hf_secret" in hub.tokens


def test_other_weights_under_the_same_revision_are_refused(hub: HubServer) -> None:
    folder = fetch_base(SD15)
    for path in folder.rglob("*.safetensors"):
        path.unlink()
    source = hub.repositories[str(SD15.repository)]
    (source / UNET).write_bytes(bytes(len(WANTED[UNET])))
    with pytest.raises(WeightsError, match=r"expected sha256 \w{64} as at the first download.*not used"):
        fetch_base(SD15)
    assert not (folder / UNET).exists()
    assert local_folder(SD15) is None
    (source / UNET).write_bytes(WANTED[UNET])
    assert contents(fetch_base(SD15)) == WANTED


def test_lost_and_damaged_files_come_again(hub: HubServer) -> None:
    folder = fetch_base(SD15)
    (folder / UNET).write_bytes(b"damaged" + WANTED[UNET][7:])
    assert local_folder(SD15) == folder
    assert not verify_base(SD15)
    (folder / "unet" / "config.json").unlink()
    hub.asked.clear()
    assert contents(fetch_base(SD15)) == WANTED
    assert sorted(hub.downloads()) == ["unet/config.json", UNET]
    assert verify_base(SD15)


def test_a_digest_the_hub_itself_contradicts_is_refused(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listing promises one file, the download brings another of the same size."""
    import tests.diffusion.hub_server as module

    plain = module._modelscope_listing

    def lying(folder: Path) -> list[dict[str, object]]:
        return [{**entry, "Sha256": "0" * 64} if entry["Path"] == UNET else entry for entry in plain(folder)]

    monkeypatch.setattr(module, "_modelscope_listing", lying)
    with pytest.raises(WeightsError, match=rf"expected sha256 {'0' * 64} as on the hub"):
        fetch_base(SD15, mirror=f"modelscope+{hub.address}")
    assert not (base_folder(SD15) / UNET).exists()


def test_modelscope_has_its_own_addresses(hub: HubServer) -> None:
    mirror = f"modelscope+{hub.address}"
    hub.stuck[UNET] = 50_000
    with pytest.raises(WeightsError, match="expected 204800 bytes, found 50000"):
        fetch_base(SD15, mirror=mirror)
    hub.stuck.clear()
    hub.asked.clear()
    folder = fetch_base(SD15, mirror=mirror)
    assert contents(folder) == WANTED
    assert ("GET", UNET, "bytes=50000-") in hub.asked
    record = base_record(SD15)
    assert record is not None
    assert (record.hub, record.revision, record.repository) == (hub.address, "master", SD15.modelscope)


def test_two_mirrors_must_agree(hub: HubServer) -> None:
    folder = fetch_base(SD15)
    (folder / UNET).unlink()
    assert contents(fetch_base(SD15, mirror=f"modelscope+{hub.address}")) == WANTED


def test_a_repository_that_is_not_there(hub: HubServer) -> None:
    with pytest.raises(WeightsError, match=r"nobody/nothing.*could not be had.*RepositoryNotFound"):
        fetch_base(replace(SD15, repository="nobody/nothing"))
    with pytest.raises(WeightsError, match=r"nobody/nothing.*404"):
        fetch_base(replace(SD15, modelscope="nobody/nothing"), mirror=f"modelscope+{hub.address}")
    with pytest.raises(WeightsError, match="no known place"):
        fetch_base(replace(SD15, modelscope=None), mirror=f"modelscope+{hub.address}")


def test_no_server_at_all(hub: HubServer) -> None:
    with pytest.raises(WeightsError, match="could not be had"):
        fetch_base(SD15, mirror="http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="could not be had"):
        fetch_base(SD15, mirror="modelscope+http://127.0.0.1:9")


def test_a_mirror_is_an_address(hub: HubServer) -> None:
    with pytest.raises(ConfigError, match="expected 'modelscope'"):
        fetch_base(SD15, mirror="nearby")


@pytest.mark.parametrize("switch", ["PORTRAITIST_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_says_what_is_missing(hub: HubServer, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    monkeypatch.setenv(switch, "1")
    with pytest.raises(WeightsError, match=r"model_index\.json and scheduler.*portraitist bases fetch sd15"):
        fetch_base(SD15)
    assert hub.asked == []
    monkeypatch.delenv(switch)
    folder = fetch_base(SD15)
    (folder / UNET).unlink()
    monkeypatch.setenv(switch, "1")
    with pytest.raises(WeightsError, match=rf"expected {UNET} \(0\.2 MB\).*portraitist bases fetch sd15"):
        fetch_base(SD15)


def test_texts_alone_are_small(hub: HubServer) -> None:
    folder = fetch_texts(SD15)
    assert folder != base_folder(SD15)
    assert contents(folder) == {path: body for path, body in WANTED.items() if not path.endswith(".safetensors")}
    hub.asked.clear()
    assert fetch_texts(SD15) == folder
    assert hub.asked == []
    assert fetch_texts(SD15) != fetch_base(SD15) == fetch_texts(SD15)


def test_too_small_a_disk_is_seen_before(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portraitist.hub.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(WeightsError, match=r"expected 0\.0 GB free.*PORTRAITIST_CACHE"):
        fetch_base(SD15)
    assert hub.asked == []


def test_a_record_that_is_none_is_refused(hub: HubServer) -> None:
    fetch_base(SD15)
    record_path(base_folder(SD15)).write_text(json.dumps({"files": 3}))
    with pytest.raises(WeightsError, match="expected the record of a download"):
        fetch_base(SD15)


def test_shards_and_paths_out_of_the_folder() -> None:
    klein = BASES["flux2-klein-4b"]
    names = [
        "model_index.json",
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        "text_encoder/model.safetensors",
    ]
    outside = ["transformer/../../out.json", "/etc/config.json", "vae\\config.json", "flux-2-klein-4b.safetensors"]
    chosen = choose_files([RemoteFile(name, 1) for name in (*names, *outside)], klein)
    assert sorted(file.path for file in chosen) == sorted(names)


def test_a_repository_without_weights_is_refused() -> None:
    with pytest.raises(WeightsError, match="and safetensors in the repository"):
        choose_files([RemoteFile("model_index.json", 1), RemoteFile("unet/model.bin", 1)], SD15)
