"""Every base as a pipeline of its real class with tiny random weights: served, fetched, loaded, trained on, drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")
peft = pytest.importorskip("peft", reason="needs portraitist[diffusion]")

from portraitist.diffusion.base_loading import load_base, place, suggest_preset
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases import BASES, find_base
from portraitist.diffusion.bases_files import fetch_base, fetch_texts, local_folder
from portraitist.errors import ConfigError, InputError, PlacementError, WeightsError
from portraitist.placement import Placement
from tests.diffusion.hub_server import HubServer, running_hub
from tests.diffusion.single_file import save_single_file
from tests.diffusion.tiny_bases import draw_tiny, save_tiny, tiny_pipeline

HUB_ROWS = [name for name, base in BASES.items() if base.repository]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each tiny pipeline as the folder its repository is."""
    root = tmp_path_factory.mktemp("hub")
    return {name: save_tiny(name, root / name, variant=base.variant) for name, base in BASES.items()}


@pytest.fixture
def hub(saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Every row of the hub, served under its own name, and an empty cache."""
    with running_hub({str(BASES[name].repository): saved[name] for name in HUB_ROWS}) as server:
        monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("PORTRAITIST_HUB", server.address)
        monkeypatch.delenv("PORTRAITIST_OFFLINE", raising=False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


@pytest.mark.parametrize("name", HUB_ROWS)
def test_a_hub_row_is_fetched_loaded_and_drawn(name: str, hub: HubServer) -> None:
    base = BASES[name]
    pipeline = load_base(base)
    assert type(pipeline).__name__ == base.pipelines.text
    assert not any(path.endswith(".bin") for path in hub.downloads())
    kept = {path for path in hub.downloads() if path.endswith(".safetensors")}
    assert kept
    assert all((f".{base.variant}." in path) == bool(base.variant) for path in kept)
    image = draw_tiny(pipeline, name)
    expected = draw_tiny(tiny_pipeline(name), name)
    np.testing.assert_allclose(image, expected, atol=1e-6)
    asked = len(hub.asked)
    load_base(base)
    assert len(hub.asked) == asked


@pytest.mark.parametrize("name", HUB_ROWS)
def test_a_row_offers_every_pipeline_it_names(name: str, hub: HubServer) -> None:
    base = BASES[name]
    for kind in ("text", "image", "inpaint"):
        if getattr(base.pipelines, kind):
            assert type(load_base(base, kind)).__name__ == getattr(base.pipelines, kind)


@pytest.mark.parametrize("name", list(BASES))
def test_lora_goes_where_the_row_says(name: str) -> None:
    """Each ending names layers of its part that can learn, peft accepts them, and nothing else learns."""
    pipeline = tiny_pipeline(name)
    for target in BASES[name].lora:
        part = getattr(pipeline, target.part)
        kinds = (torch.nn.Linear, torch.nn.Conv2d)
        layers = {n for n, module in part.named_modules() if isinstance(module, kinds)}
        for ending in target.modules:
            assert any(n == ending or n.endswith(f".{ending}") for n in layers), (target.part, ending)
        part.add_adapter(peft.LoraConfig(r=2, lora_alpha=2, target_modules=list(target.modules)))
        trained = [n for n, weight in part.named_parameters() if weight.requires_grad]
        assert trained
        assert all(".lora_" in n for n in trained)


@pytest.mark.parametrize("name", list(BASES))
def test_a_local_folder_is_loaded_in_place(
    name: str, saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTRAITIST_OFFLINE", "1")
    monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path))
    base = find_base(saved[name])
    assert base.family == BASES[name].family
    pipeline = load_base(base)
    np.testing.assert_allclose(draw_tiny(pipeline, name), draw_tiny(tiny_pipeline(name), name), atol=1e-6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_a_single_checkpoint_needs_only_the_texts_of_its_family(
    name: str, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_single_file(tiny_pipeline(name), tmp_path / "photoreal.safetensors")
    base = find_base(path)
    with monkeypatch.context() as offline:
        offline.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(WeightsError, match=f"portraitist bases fetch {name}"):
            load_base(base)
    fetch_texts(BASES[name])
    assert not any(path.endswith(".safetensors") for path in hub.downloads())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pipeline = load_base(base)
    np.testing.assert_allclose(draw_tiny(pipeline, name), draw_tiny(tiny_pipeline(name), name), atol=1e-5)
    assert local_folder(BASES[name]) is None


def test_a_control_is_given_to_the_pipeline(hub: HubServer) -> None:
    from diffusers import ControlNetModel

    pipeline = tiny_pipeline("sd15")
    control = ControlNetModel.from_unet(pipeline.unet, conditioning_embedding_out_channels=(8, 16))
    loaded = load_base(BASES["sd15"], "control", control=control)
    assert type(loaded).__name__ == "StableDiffusionControlNetPipeline"
    assert loaded.controlnet is control


def test_precision_is_the_preset_s(hub: HubServer) -> None:
    base = BASES["sd15"]
    assert load_base(base).unet.dtype == torch.float32
    assert load_base(base, preset=base.preset("12gb")).unet.dtype == torch.bfloat16


def test_a_part_that_is_there_in_full_precision_only(hub: HubServer, saved: dict[str, Path], tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(saved["sd15"], source)
    half = source / "vae" / "diffusion_pytorch_model.fp16.safetensors"
    half.rename(half.with_name("diffusion_pytorch_model.safetensors"))
    hub.repositories[str(BASES["sd15"].repository)] = source
    np.testing.assert_allclose(
        draw_tiny(load_base(BASES["sd15"]), "sd15"), draw_tiny(tiny_pipeline("sd15"), "sd15"), atol=1e-6
    )


@pytest.mark.parametrize("is_single", [False, True])
def test_a_repository_that_names_a_safety_checker_is_loaded_without(
    hub: HubServer, saved: dict[str, Path], tmp_path: Path, is_single: bool
) -> None:
    """As the index of Stable Diffusion 1.5 does; its folder is not among those that are fetched."""
    source = tmp_path / "source"
    shutil.copytree(saved["sd15"], source)
    index = json.loads((source / "model_index.json").read_text())
    index |= {
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "requires_safety_checker": True,
    }
    (source / "model_index.json").write_text(json.dumps(index))
    (source / "safety_checker").mkdir()
    (source / "safety_checker" / "model.safetensors").write_bytes(b"not wanted")
    hub.repositories[str(BASES["sd15"].repository)] = source
    base = BASES["sd15"]
    if is_single:
        base = find_base(save_single_file(tiny_pipeline("sd15"), tmp_path / "one.safetensors"))
    pipeline = load_base(base)
    assert pipeline.safety_checker is pipeline.feature_extractor is None
    assert not any("safety_checker" in path for path in hub.downloads())
    np.testing.assert_allclose(draw_tiny(pipeline, "sd15"), draw_tiny(tiny_pipeline("sd15"), "sd15"), atol=1e-5)


@pytest.mark.parametrize(
    ("device", "preset", "expected"),
    [
        ("cuda:1", "24gb", ("to", "cuda:1")),
        ("cuda:1", "12gb", ("to", "cuda:1")),
        ("cuda:1", "8gb", ("enable_model_cpu_offload", "cuda:1")),
        ("cpu", "8gb", ("to", "cpu")),
    ],
)
def test_a_pipeline_is_placed_as_its_preset_says(device: str, preset: str, expected: tuple[str, str]) -> None:
    pipeline = mock.MagicMock()
    place(pipeline, BASES["sdxl"].preset(preset), Placement(device))
    (call,) = pipeline.mock_calls
    assert (call[0], *call[1], *call[2].values()) == expected


def test_the_largest_bases_go_layer_by_layer_through_the_smallest_card() -> None:
    pipeline = mock.MagicMock()
    place(pipeline, BASES["z-image"].preset("8gb"), Placement("cuda"))
    assert pipeline.mock_calls == [mock.call.enable_sequential_cpu_offload(device="cuda")]


def test_a_device_that_is_not_here_is_refused(hub: HubServer) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(PlacementError, match=r"expected one of cpu.*found 'cuda'"):
        load_base(BASES["sd15"], placement=Placement("cuda"))
    with pytest.raises(PlacementError, match="found 'tpu'"):
        load_base(BASES["sd15"], placement=Placement("tpu"))
    assert hub.asked == []


@pytest.mark.parametrize(
    ("held", "expected"),
    [(6e9, "8gb"), (8.5e9, "8gb"), (11.5e9, "8gb"), (12.6e9, "12gb"), (25.4e9, "24gb"), (1.5e11, "24gb")],
)
def test_a_preset_is_suggested_by_the_memory(monkeypatch: pytest.MonkeyPatch, held: float, expected: str) -> None:
    facts = type("Facts", (), {"total_memory": held})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: facts)
    assert suggest_preset(BASES["sdxl"], Placement("cuda:1")).name == expected
    assert suggest_preset(BASES["sdxl"], Placement("mps")).name == "12gb"
    assert suggest_preset(BASES["sdxl"], Placement()).name == "cpu"


def test_kinds_a_base_does_not_have_are_refused_before_anything_is_fetched(hub: HubServer) -> None:
    with pytest.raises(ConfigError, match="expected a kind of pipeline out of text, inpaint; found 'image'"):
        load_base(BASES["flux2-klein-4b"], "image")
    assert hub.asked == []


def test_files_that_cannot_be_read_are_named(hub: HubServer) -> None:
    folder = fetch_base(BASES["sd15"])
    (folder / "unet" / "config.json").write_text("no json")
    local: Base = replace(BASES["sd15"], path=folder)
    with pytest.raises(InputError, match=r"expected StableDiffusionPipeline in .*could not be read"):
        load_base(local)
