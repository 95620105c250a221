"""A base as a diffusers pipeline, from this project's weights, a hub, a local folder or a single checkpoint."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from portraitist.diffusion import portrait_mini
from portraitist.diffusion.base_row import PRESETS, Base, Preset
from portraitist.diffusion.bases import BASES
from portraitist.diffusion.bases_files import fetch_base, fetch_texts
from portraitist.diffusion.out_of_memory import is_out_of_memory
from portraitist.diffusion.quiet import quiet_libraries
from portraitist.diffusion.samplers import space_levels
from portraitist.errors import EngineError, InputError, PlacementError
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent

UNSIZED_PRESET = "12gb"
"""On a device whose memory torch does not tell."""


def load_base(
    base: Base,
    kind: str = "text",
    placement: Placement = Placement(),
    *,
    preset: Preset | None = None,
    for_training: bool = False,
    control: Any = None,
    library: Library | None = None,
    report: Report = silent,
) -> Any:
    """The pipeline of a kind (`base_row.KINDS`), on the placement's device, its progress bar off.

    preset: None takes `suggest_preset`. for_training: leaves all parts in main memory in the preset's precision, as
    what learns takes turns of its own (`identity/memory.py`). control: for the control kinds; of mini the name of one
    of its own, elsewhere a loaded ControlNet or a list of them. library: whose acceptance of non-commercial weights
    counts.
    Raises ConfigError for a kind the base does not have, EngineError without the extra `diffusion`, WeightsError when
    files cannot be had, InputError when they cannot be read, PlacementError for a device that is not here.
    """
    class_name = base.pipeline_class(kind)
    diffusers = _diffusers()
    require_device(placement)
    chosen = preset or suggest_preset(base, placement)
    if base.family == "mini" and base.path is None:
        plain = {"text": "text", "image": "image", "control": "text", "control_image": "image"}[kind]
        pipeline = portrait_mini.load_pipeline(plain, control=control, library=library, report=report)
    else:
        pipeline = _load(getattr(diffusers, class_name), base, _dtype(chosen, placement), control, report)
    pipeline.set_progress_bar_config(disable=True)
    space_levels(pipeline, kind)
    return pipeline if for_training else place(pipeline, chosen, placement)


def suggest_preset(base: Base, placement: Placement) -> Preset:
    """`cpu` on the CPU; on a GPU the largest preset its memory holds, the smallest GPU one where none fits."""
    import torch

    if placement.device == "cpu":
        return base.preset("cpu")
    if not placement.device.startswith("cuda"):
        return base.preset(UNSIZED_PRESET)
    # Decimal gigabytes: a card sold with 8 GB has a little more than 8e9 bytes.
    held = torch.cuda.get_device_properties(torch.device(placement.device)).total_memory / 1e9
    fitting = [name for name in PRESETS[1:] if int(name.removesuffix("gb")) <= held]
    return base.preset(fitting[-1] if fitting else PRESETS[1])


def _load(pipeline_class: Any, base: Base, dtype: Any, control: Any, report: Report) -> Any:
    parts: dict[str, Any] = {} if control is None else {"controlnet": control}
    if base.family == "sd15":
        parts |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    common = {"dtype": dtype, "use_safetensors": True, "local_files_only": True}
    place = fetch_base(base, report)
    try:
        with quiet_libraries():
            if place.is_file():
                texts = fetch_texts(BASES[base.family], report)
                return pipeline_class.from_single_file(str(place), config=str(texts), **common, **parts)
            return pipeline_class.from_pretrained(place, variant=_variant(place), **common, **parts)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"base '{base.name}': expected {pipeline_class.__name__} in {place}, could not be read ({error}); "
            "is it whole, and of that family?"
        ) from error


def _variant(folder: Path) -> str | None:
    """`fp16` where the denoiser is here in half precision only."""
    files = [path for part in ("unet", "transformer") for path in (folder / part).glob("*.safetensors")]
    return "fp16" if files and all(".fp16" in path.name for path in files) else None


def _dtype(preset: Preset, placement: Placement) -> Any:
    """The preset's precision; half precision on CUDA devices that do not compute in bfloat16."""
    import torch

    if preset.precision == "float32":
        return torch.float32
    if placement.device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def place(pipeline: Any, preset: Preset, placement: Placement) -> Any:
    """The pipeline on the placement's device, or in main memory with its parts moved there while they work."""
    if placement.device == "cpu" or preset.offload == "none":
        return pipeline.to(placement.device)
    if preset.offload == "model":
        pipeline.enable_model_cpu_offload(device=placement.device)
    else:
        pipeline.enable_sequential_cpu_offload(device=placement.device)
    return pipeline


def require_device(placement: Placement) -> None:
    """Raise PlacementError, naming those that are here, for a device that is not."""
    import torch

    kind = placement.device.partition(":")[0]
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not here.get(kind, False):
        have = ", ".join(name for name, is_here in here.items() if is_here)
        raise PlacementError(
            f"device: expected one of {have} on this machine, found '{placement.device}'; use device cpu"
        )


def _diffusers() -> ModuleType:
    """The package, and the module of portrait-mini's autoencoder, which folders of its family name."""
    try:
        importlib.import_module("torch")
        importlib.import_module("transformers")
        importlib.import_module("portraitist.diffusion.patch_autoencoder")
        return importlib.import_module("diffusers")
    except ImportError as error:
        raise EngineError(
            f"a base: expected torch, diffusers and transformers, found {error}; install portraitist[diffusion]"
        ) from error
