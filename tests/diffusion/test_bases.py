"""The table of bases, the presets, and telling a local model's family. Needs no torch."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from portraitist.diffusion.base_row import KINDS, PRESETS, Preset
from portraitist.diffusion.bases import BASES, find_base, smaller_preset
from portraitist.diffusion.bases_local import read_shapes
from portraitist.errors import ConfigError, InputError

SD15_KEYS = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": (77, 768),
    "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
}
SDXL_KEYS = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "conditioner.embedders.1.model.positional_embedding": (77, 1280),
}


def write_checkpoint(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A safetensors file with a header alone."""
    entries = {n: {"dtype": "F16", "shape": list(s), "data_offsets": [0, 0]} for n, s in shapes.items()}
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def write_folder(folder: Path, index: Mapping[str, object], unet: Mapping[str, object] | None = None) -> Path:
    """A diffusers folder with an index and, where asked for, the U-Net's configuration."""
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").write_text(json.dumps(unet or {}))
    return folder


def test_every_row_is_whole() -> None:
    assert tuple(BASES) == ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image", "z-image-turbo")
    for name, base in BASES.items():
        assert base.name == name
        assert base.licence
        assert base.revision is None
        assert tuple(preset.name for preset in base.presets) == PRESETS
        assert base.lora
        assert base.training.resolution <= base.resolution
        assert base.pipeline_class("text")
        assert base.family in BASES
        assert bool(base.repository) == bool(base.folders)
        assert ("OpenRAIL" in base.licence or "-NC-" in base.licence) == bool(base.terms)


def test_a_table_row_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, portraitist.diffusion.bases as b; b.find_base('sdxl'); sys.exit('torch' in sys.modules)"
    source = str(Path(__file__).resolve().parents[2] / "src")
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source}, check=False).returncode == 0


def test_sd15_trains_as_the_two_systems_do() -> None:
    training = BASES["sd15"].training
    assert (training.rank, training.alpha) == (128, 64)
    assert BASES["sd15"].preset("8gb").rank == 16
    assert (training.learning_rate, training.text_learning_rate) == (1e-4, 5e-5)
    assert (training.batch, training.accumulation, training.resolution) == (1, 4, 512)
    assert [training.steps(photos) for photos in (1, 3, 4, 20)] == [200, 600, 800, 800]
    assert (BASES["mini"].training.steps(1), BASES["mini"].training.steps(30)) == (60, 240)


def test_smaller_presets_end() -> None:
    for base in BASES.values():
        for start in PRESETS:
            met = [start]
            while (smaller := smaller_preset(base, met[-1])) is not None:
                assert PRESETS.index(smaller.name) < PRESETS.index(met[-1])
                assert replace(smaller, name="") != replace(base.preset(met[-1]), name="")
                met.append(smaller.name)
    assert smaller_preset(BASES["sd15"], "12gb") == BASES["sd15"].preset("8gb")
    assert smaller_preset(BASES["mini"], "24gb") is None
    assert smaller_preset(BASES["sdxl"], "cpu") is None


def test_unknown_presets_and_kinds_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected one of cpu, 8gb, 12gb, 16gb, 24gb; found '6gb'"):
        BASES["sd15"].preset("6gb")
    with pytest.raises(ConfigError, match="expected a kind of pipeline out of text, inpaint; found 'control'"):
        BASES["flux2-klein-4b"].pipeline_class("control")
    with pytest.raises(ConfigError, match="found '__class__'"):
        BASES["sd15"].pipeline_class("__class__")
    assert set(KINDS) > {"text", "image", "inpaint", "control"}


@pytest.mark.parametrize(
    ("index", "family"),
    [
        ({"_class_name": "StableDiffusionPipeline"}, "sd15"),
        ({"_class_name": "StableDiffusionImg2ImgPipeline"}, "sd15"),
        ({"_class_name": "StableDiffusionXLPipeline"}, "sdxl"),
        ({"_class_name": "Flux2KleinPipeline", "is_distilled": True}, "flux2-klein-4b"),
        ({"_class_name": "ZImagePipeline"}, "z-image"),
        ({"_class_name": "StableDiffusionPipeline", "vae": ["portraitist.diffusion.patch_autoencoder", "P"]}, "mini"),
    ],
)
def test_a_local_folder_is_known_by_its_index(tmp_path: Path, index: dict[str, object], family: str) -> None:
    folder = write_folder(tmp_path / "my model", index)
    base = find_base(str(folder))
    assert (base.name, base.family, base.path, base.repository) == ("local-my model", family, folder, None)
    assert base.lora == BASES[family].lora


def test_distilled_models_are_told_from_plain_ones(tmp_path: Path) -> None:
    klein = find_base(write_folder(tmp_path / "klein-base", {"_class_name": "Flux2KleinPipeline"}))
    assert klein.sampling.num_steps == 50
    turbo = find_base(write_folder(tmp_path / "Z-Image-Turbo", {"_class_name": "ZImagePipeline"}))
    assert turbo.sampling == BASES["z-image-turbo"].sampling


@pytest.mark.parametrize(("shapes", "family"), [(SD15_KEYS, "sd15"), (SDXL_KEYS, "sdxl")])
def test_a_checkpoint_is_known_by_its_keys(tmp_path: Path, shapes: dict[str, tuple[int, ...]], family: str) -> None:
    path = write_checkpoint(tmp_path / "photoreal_v3.safetensors", shapes)
    base = find_base(path)
    assert (base.name, base.family, base.path) == ("local-photoreal_v3", family, path)
    assert read_shapes(path) == shapes


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({**SD15_KEYS, "model.diffusion_model.input_blocks.0.0.weight": (320, 9, 3, 3)}, "an inpainting model"),
        ({"lora_unet_down.lora_up.weight": (4, 4)}, "found a LoRA"),
        ({"unet.down.lora_A.weight": (4, 4)}, "found a LoRA"),
        ({"cond_stage_model.model.ln_final.weight": (1024,)}, "found 1 tensors of another model"),
        ({"double_blocks.0.img_attn.norm.key_norm.scale": (128,)}, "give a diffusers folder"),
    ],
)
def test_other_checkpoints_are_refused(tmp_path: Path, shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_base(write_checkpoint(tmp_path / "other.safetensors", shapes))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected one of mini, sd15, sdxl"):
        find_base("sd35")
    (tmp_path / "old.ckpt").write_bytes(b"pickle")
    with pytest.raises(InputError, match="pickled checkpoints are never opened"):
        find_base(tmp_path / "old.ckpt")
    for body in (b"", b"short", struct.pack("<Q", 1 << 60), struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 9) + b"no"):
        (tmp_path / "broken.safetensors").write_bytes(body)
        with pytest.raises(InputError, match="expected a safetensors file"):
            find_base(tmp_path / "broken.safetensors")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"model_index\.json"):
        find_base(tmp_path / "empty")
    with pytest.raises(InputError, match="found FluxPipeline"):
        find_base(write_folder(tmp_path / "flux", {"_class_name": "FluxPipeline"}))
    second = write_folder(tmp_path / "sd2", {"_class_name": "StableDiffusionPipeline"}, {"cross_attention_dim": 1024})
    with pytest.raises(InputError, match="found version 2"):
        find_base(second)


def test_the_page_lists_what_the_table_says() -> None:
    """docs/bases.md: one row a base, one row a preset of each."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "bases.md").read_text()
    for base in BASES.values():
        cells = (f"`{base.name}`", base.repository or "this project", base.licence, f"{base.resolution}",
                 f"{base.sampling.num_steps}", f"{base.sampling.guidance_scale:g}",
                 f"{base.training.rank} / {base.training.alpha:g}", f"{base.training.most_steps}")  # fmt: skip
        assert f"| {' | '.join(cells)} |" in page
        for preset in base.presets:
            assert f"| `{base.name}` | `{preset.name}` | {switches(preset)} |" in page


def switches(preset: Preset) -> str:
    """What a preset switches, as the page says it."""
    said = [preset.precision]
    for field in fields(preset):
        value = getattr(preset, field.name)
        if field.name in ("name", "precision") or value in (False, None, "none"):
            continue
        words = field.name.replace("_", " ")
        said.append(words if value is True else f"{words} {value}")
    return ", ".join(said)
