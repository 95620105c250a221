"""What goes wrong when a sitter is learned ends in a sentence that helps, and the same command goes on afterwards."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.cli.main import main
from portraitist.diffusion import base_loading, bases, lora_formats
from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora, read_metadata, write_lora
from portraitist.errors import ConfigError, EngineError, InputError, PlacementError
from portraitist.identity import record as records
from portraitist.identity import trainee as trainees
from portraitist.identity.config import IdentityConfig
from portraitist.identity.record import WEIGHTS, read_identity
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.progress import Step
from portraitist.tasks.add import add
from portraitist.tasks.train import ONE_PHOTO, train
from portraitist.training.checkpoint import checkpoints
from tests.diffusion.tiny_bases import save_tiny
from tests.tasks.test_train import FEW, mini  # noqa: F401  the fixture: tiny weights where portrait-mini's are


def folder(library: Library, base: str = "mini") -> Path:
    return library.sitter("anna").identities_dir / base


@pytest.fixture
def anna(library: Library, astronaut_path: Path) -> Library:
    """A sitter with one photo, in a library that accepts non-commercial weights."""
    add(library, "anna", [astronaut_path], consent=Consent.now("Anna", "test"))
    library.accept_noncommercial("test")
    return library


@pytest.fixture
def small_sd15(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny SD 1.5 in a local folder, that learns from tiny pictures."""
    place = str(save_tiny("sd15", tmp_path / "tiny"))
    row = bases.find_base(place)
    small = replace(row, training=replace(row.training, resolution=64, accumulation=1))
    monkeypatch.setattr(bases, "find_base", lambda name: small)
    return place


def test_one_photo_says_what_to_expect(anna: Library) -> None:
    told: list[Step] = []
    trained = train(anna, "anna", config=FEW, report=told.append)
    assert told[0].message == ONE_PHOTO
    assert read_lora(trained.folder / WEIGHTS).rank == trained.record.rank
    assert trained.record.prior is None


def test_an_album_without_an_accepted_photo_is_refused(library: Library, tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "black.png")
    library.accept_noncommercial("test")
    add(library, "anna", [tmp_path / "black.png"], consent=Consent.now("Anna", "test"))
    with pytest.raises(InputError, match="no accepted photo"):
        train(library, "anna", config=FEW)
    assert not folder(library).exists()


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"preset: expected one of cpu, 8gb, 12gb, 16gb, 24gb; found '32gb'"):
        IdentityConfig(preset="32gb")


def test_a_device_that_is_not_here_is_refused(anna: Library) -> None:
    with pytest.raises(PlacementError, match="expected one of"):
        train(anna, "anna", config=FEW, placement=Placement("tpu"))


def test_the_command_takes_a_device(anna: Library, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--library", str(anna.root), "train", "anna", "--base", "mini", "--device", "tpu", "--preset", "cpu"]
    assert main(command) != 0
    assert "found 'tpu'" in capsys.readouterr().err


def test_a_preset_switches_what_it_says(anna: Library, small_sd15: str) -> None:
    told: list[Step] = []
    trained = train(anna, "anna", small_sd15, replace(FEW, preset="8gb"), report=told.append)
    assert trained.record.rank == 16
    lora = read_lora(trained.folder / WEIGHTS)
    assert lora.components == ("unet",), "with cached text the text encoder does not learn"
    assert len([step for step in told if "8-bit optimiser" in step.message]) == 1
    again = train(anna, "anna", small_sd15, replace(FEW, preset="8gb"))
    assert again.record.sha256 == trained.record.sha256
    with pytest.raises(ConfigError, match=r"precision was 'torch.bfloat16', now 'torch.float32'"):
        train(anna, "anna", small_sd15, FEW)


@pytest.mark.parametrize(("stage", "kind"), [("loading", "cpu"), ("encoding", "python"), ("training", "cuda")])
def test_memory_that_runs_out_names_the_next_smaller_preset(
    anna: Library, small_sd15: str, monkeypatch: pytest.MonkeyPatch, stage: str, kind: str
) -> None:
    error = {
        "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        "python": MemoryError(),
    }[kind]

    def full(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as broken:
        if stage == "loading":
            broken.setattr("diffusers.StableDiffusionPipeline.from_pretrained", full)
        else:
            name = "encode_photo" if stage == "encoding" else "weighted"
            broken.setattr(trainees, name, full)
        with pytest.raises(EngineError) as caught:
            train(anna, "anna", small_sd15, replace(FEW, preset="24gb"))
    assert f"try 'portraitist train anna --base {small_sd15} --preset 8gb'" in str(caught.value)
    assert "has begun" not in str(caught.value)
    assert not (folder(anna, "local-tiny") / WEIGHTS).exists()


def test_memory_that_runs_out_later_says_how_to_begin_anew(
    anna: Library, small_sd15: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(FEW, preset="24gb")
    real, calls = trainees.weighted, iter(range(100))

    def full_at_the_third(*values: Any) -> Any:
        if next(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*values)

    monkeypatch.setattr(trainees, "weighted", full_at_the_third)
    with pytest.raises(EngineError, match="this run has begun with another preset: add --fresh"):
        train(anna, "anna", small_sd15, asked)
    assert [path.stem for path in checkpoints(folder(anna, "local-tiny") / "run")] == ["checkpoint-0000002"]
    # With more room the same command goes on.
    assert train(anna, "anna", small_sd15, asked).outcome.checks[-1].step == 4


@pytest.mark.parametrize("where", ["a checkpoint's LoRA", "the identity's LoRA", "the record"])
def test_a_full_disk_is_said_and_the_same_command_goes_on(
    anna: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    module, last = {
        "a checkpoint's LoRA": (lora_formats, "check-"),
        "the identity's LoRA": (lora_formats, "new"),
        "the record": (records, "README"),
    }[where]
    real = module.write_atomic  # type: ignore[attr-defined]

    def full(path: Path, data: bytes) -> Path:
        if last in f"{path.parent.name}/{path.name}":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    earlier = train(anna, "anna", config=FEW)
    more = replace(FEW, steps=6)
    with monkeypatch.context() as broken:
        broken.setattr(module, "write_atomic", full)
        with pytest.raises(EngineError, match=r"no room for .*; .* Free some space and run the same command"):
            train(anna, "anna", config=more)
    assert read_identity(earlier.folder) == earlier.record, "the identity that was there is still whole"
    assert checkpoints(earlier.folder / "run")[-1].stem == "checkpoint-0000006"
    gone_on = train(anna, "anna", config=more)
    assert gone_on.record.sha256 != earlier.record.sha256
    assert read_identity(gone_on.folder) == gone_on.record
    assert not (gone_on.folder / "new").exists()


def test_nan_ends_it_with_the_last_good_kept(anna: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = trainees.weighted, iter(range(100))
    monkeypatch.setattr(trainees, "weighted", lambda *values: real(*values) * (torch.nan if next(calls) == 2 else 1))
    with pytest.raises(EngineError, match="the loss is nan"):
        train(anna, "anna", config=FEW)
    assert [path.stem for path in checkpoints(folder(anna) / "run")] == ["checkpoint-0000002"]
    assert not (folder(anna) / WEIGHTS).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"rank": 4}, "rank was 16, now 4"), ({"seed": 7}, "seed was 42, now 7"), ({"flip": True}, "flip was False")],
)
def test_a_changed_setting_is_refused_on_resume(anna: Library, changes: dict[str, Any], said: str) -> None:
    train(anna, "anna", config=replace(FEW, steps=2))
    with pytest.raises(ConfigError, match=said):
        train(anna, "anna", config=replace(FEW, **changes))


def test_a_preset_that_only_moves_parts_goes_on(anna: Library) -> None:
    """All presets of mini learn the same."""
    whole = train(anna, "anna", config=FEW).record.sha256
    assert train(anna, "anna", config=replace(FEW, preset="24gb")).record.sha256 == whole


def test_an_identity_begun_from_another_lora_says_so(anna: Library, tmp_path: Path) -> None:
    plain = train(anna, "anna", config=FEW)
    faces = read_lora(plain.folder / WEIGHTS)
    prior = write_lora(tmp_path / "faces.safetensors", faces, {"noncommercial": "True"})
    plain.folder.rename(tmp_path / "plain")
    told: list[Step] = []
    begun = train(anna, "anna", config=replace(FEW, prior=str(prior), rank=8), report=told.append)
    assert begun.record.prior is not None
    assert read_metadata(begun.folder / WEIGHTS)["prior"] == begun.record.prior
    assert f"a LoRA of sha256 {begun.record.prior}" in (begun.folder / "README.md").read_text()
    assert begun.record.rank == 8
    assert [step for step in told if "relative error of its rank" in step.message]


def test_a_prior_of_another_family_is_refused(anna: Library, tmp_path: Path) -> None:
    strange = Lora({"unet.down_blocks.0.attentions.0.proj_in": (torch.ones(2, 320), torch.ones(320, 2))})
    prior = write_lora(tmp_path / "other.safetensors", strange, {})
    with pytest.raises(InputError, match=r"this LoRA is for .*choose another"):
        train(anna, "anna", config=replace(FEW, prior=str(prior)))
    with pytest.raises(InputError, match="found nothing there"):
        train(anna, "anna", config=replace(FEW, prior=str(tmp_path / "nowhere.safetensors")))


def test_loading_for_training_leaves_the_parts_to_their_turns(small_sd15: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = bases.find_base(small_sd15)

    def placed(*_: Any) -> Any:
        raise AssertionError("training places parts itself")

    monkeypatch.setattr(base_loading, "place", placed)
    pipeline = base_loading.load_base(row, preset=row.preset("8gb"), for_training=True)
    assert pipeline.unet.dtype == torch.bfloat16
    assert not hasattr(pipeline.unet, "_hf_hook")
