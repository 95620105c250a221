"""Which base a folder or a checkpoint on this machine is: read from its index, or from the header of the file.

Nothing but names and shapes is read, so no package is needed and nothing of the model is run.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portraitist.errors import InputError
from portraitist.library import read_json

MOST_HEADER_BYTES = 100_000_000
"""As the safetensors format limits it."""
SD2_TEXT_WIDTH = 1024
"""Width of the text encoder's tokens in Stable Diffusion 2; 1.5 has 768, XL 2048."""

_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"
_CLIP = "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight"
_XL_SECOND_ENCODER = "conditioner.embedders.1.model.positional_embedding"


@dataclass(frozen=True)
class Family:
    """row: of the table whose settings fit. is_distilled: False for a klein that wants guidance and many steps."""

    row: str
    is_distilled: bool = True


def read_family(path: Path) -> Family:
    """The family of a diffusers folder or a .safetensors checkpoint. Raises InputError for anything else."""
    if path.is_dir():
        return _of_folder(path)
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path}: expected a diffusers folder or a .safetensors checkpoint, found a {path.suffix or 'nameless'} "
            "file; pickled checkpoints are never opened, convert it first"
        )
    return Family(_of_keys(path, read_shapes(path)))


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of a safetensors file, from its header alone.

    Raises InputError when the file is no safetensors file. Source: format description of huggingface/safetensors,
    8 bytes of little-endian length, then JSON.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > MOST_HEADER_BYTES:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        return {name: tuple(facts["shape"]) for name, facts in header.items() if name != "__metadata__"}
    except (ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: expected a safetensors file, found something else ({error}); get it again"
        ) from error


def _of_folder(folder: Path) -> Family:
    index = read_json(folder / "model_index.json")
    name = str(index.get("_class_name"))
    if "patch_autoencoder" in str(index.get("vae")):
        return Family("mini")
    if name.startswith("StableDiffusionXL"):
        return Family("sdxl")
    if name.startswith("StableDiffusion") and not name.startswith("StableDiffusion3"):
        return _of_stable_diffusion(folder)
    if name.startswith("Flux2Klein"):
        return Family("flux2-klein-4b", is_distilled=bool(index.get("is_distilled", False)))
    if name.startswith("ZImage"):
        # Both are of one class and size; only their name tells them apart.
        return Family("z-image-turbo" if "turbo" in folder.resolve().name.lower() else "z-image")
    raise InputError(
        f"{folder}: expected a pipeline of Stable Diffusion 1.5, SDXL, FLUX.2 klein, Z-Image or portrait-mini, "
        f"found {name}; choose another base"
    )


def _of_stable_diffusion(folder: Path) -> Family:
    if read_json(folder / "unet" / "config.json").get("cross_attention_dim") == SD2_TEXT_WIDTH:
        raise InputError(f"{folder}: expected Stable Diffusion 1.5, found version 2; choose another base")
    return Family("sd15")


def _of_keys(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The table's row for the names and shapes of a checkpoint in the layout of the original repositories."""
    if any("lora_" in name or ".lora" in name for name in shapes):
        raise InputError(f"{path}: expected a base model, found a LoRA; give its base to --base")
    channels = shapes.get(_FIRST_CONVOLUTION, (0, 0))[1]
    if channels and channels != 4:
        raise InputError(f"{path}: expected 4 input channels, found {channels}, an inpainting model; use the plain one")
    if channels and _XL_SECOND_ENCODER in shapes:
        return "sdxl"
    if channels and _CLIP in shapes:
        return "sd15"
    raise InputError(
        f"{path}: expected a whole checkpoint of Stable Diffusion 1.5 or SDXL (U-Net, autoencoder and text encoder), "
        f"found {len(shapes)} tensors of another model; give a diffusers folder"
    )
