"""LoRA files: safetensors with diffusers keys or those of A1111, Forge and ComfyUI out; every usual spelling in.

Scales are multiplied in on the way in and never written, so the formats cannot disagree about them.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from portraitist.diffusion.lora import Factors, Lora, component_of
from portraitist.diffusion.lora_families import FLUX, FLUX2, SDXL, Z_IMAGE, family_of_lora
from portraitist.diffusion.lora_flux2 import from_original, to_original
from portraitist.diffusion.lora_names import kohya_name, path_of, peft_name
from portraitist.diffusion.lora_peft_scales import PEFT_NOTE, PeftScales
from portraitist.errors import InputError
from portraitist.library import write_atomic

_SIDES = {
    "A": "lora_A.weight lora_A.default.weight lora_down.weight lora.down.weight lora_linear_layer.down.weight",
    "B": "lora_B.weight lora_B.default.weight lora_up.weight lora.up.weight lora_linear_layer.up.weight",
}
_SUFFIXES = {f".{suffix}": side for side, suffixes in _SIDES.items() for suffix in suffixes.split()}
_OLD_ATTENTION = re.compile(r"(.+\.to_(?:q|k|v|out)_lora)\.(down|up)\.weight")
_OTHER_KINDS = {
    "LoHa": r"\.hada_",
    "LoKr": r"\.lokr_",
    "DoRA": r"\.dora_scale$|lora_magnitude_vector",
    "LoCon with a middle factor": r"\.lora_mid\.|\.cp$",
    "OFT": r"\.oft_",
    "IA3": r"\.on_input$|\.ia3_",
    "LoRA with biases": r"\.lora_B\.(default\.)?bias$",
    "difference of whole weights": r"\.diff(_b)?$",
}
_INSTEAD = "write diffusers keys instead"
_PICKLES = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}


def write_lora(path: Path, lora: Lora, metadata: Mapping[str, str]) -> Path:
    """Write with the keys of diffusers and PEFT; the same LoRA and metadata give the same bytes.

    metadata: text by name (base, digest of the training data, steps, likeness, licence). Raises InputError for metadata
    that is not text.
    """
    tensors: dict[str, Tensor] = {}
    for module, (down, up) in lora.modules.items():
        name = peft_name(module)
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return write_atomic(path, _as_bytes(tensors, metadata))


def write_kohya(path: Path, lora: Lora, metadata: Mapping[str, str]) -> Path:
    """Write with the keys that A1111, Forge and ComfyUI read, and diffusers too.

    Stable Diffusion has kohya's names, FLUX.2 and Z-Image `diffusion_model.` and the names ComfyUI has inside. `alpha`
    (the rank, as the scale is in B) stands where all modules of a component have one rank; where ranks differ there is
    none, which every reader takes as the rank: diffusers would give the most frequent alpha to all modules.
    Raises InputError for a module without such a name, or metadata that is not text.
    """
    tensors = _comfy_tensors(lora) if "transformer" in lora.components else _kohya_tensors(lora)
    return write_atomic(path, _as_bytes(tensors, metadata))


def read_lora(path: Path) -> Lora:
    """A LoRA from our own files, diffusers (new, old, attention processors), PEFT, kohya and ComfyUI.

    Raises InputError, naming the file, for pickles, other kinds (LoHa, LoKr, DoRA...), whole models, damaged files,
    a factor without its other half, keys of no known module, NaN.
    """
    with _opened(path) as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    try:
        return _from_tensors(tensors, metadata or {})
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_metadata(path: Path) -> dict[str, str]:
    """What the writer said about a LoRA, without its weights. Raises InputError for a pickle or a damaged file."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


@dataclass
class _Parts:
    """What a file holds for one module, as it is collected: A, B and alpha."""

    factors: dict[str, Tensor] = field(default_factory=dict)
    alpha: float | None = None


def _kohya_tensors(lora: Lora) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    has_two_encoders = family_of_lora(lora).name == SDXL
    even = {name for name in lora.components if len(_ranks(lora, name)) == 1}
    for path, (down, up) in lora.modules.items():
        name = kohya_name(path, has_two_encoders=has_two_encoders)
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        if component_of(path) in even:
            tensors[f"{name}.alpha"] = torch.tensor(float(down.shape[0]))
    return tensors


def _ranks(lora: Lora, component: str) -> set[int]:
    return {down.shape[0] for path, (down, _) in lora.modules.items() if component_of(path) == component}


def _comfy_tensors(lora: Lora) -> dict[str, Tensor]:
    """No alpha here: diffusers refuses one beside these keys."""
    if lora.components != ("transformer",):
        raise InputError(f"expected modules of the transformer only, found {', '.join(lora.components)}; {_INSTEAD}")
    family = family_of_lora(lora)
    inner = {path.removeprefix("transformer."): factors for path, factors in lora.modules.items()}
    if family.name not in (FLUX, FLUX2, Z_IMAGE):
        raise InputError(f"expected a LoRA for FLUX.2 or Z-Image, found one for {family}; {_INSTEAD}")
    tensors: dict[str, Tensor] = {}
    for path, (down, up) in (inner if family.name == Z_IMAGE else to_original(inner)).items():
        name = f"diffusion_model.{path}"
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return tensors


def _as_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file; its header is written here because the library shuffles metadata anew in every process.

    diffusers' note of scales is left out, as it comes along when another file's metadata are handed on.
    """
    strange = [name for name, value in metadata.items() if not isinstance(name, str) or not isinstance(value, str)]
    if strange:
        raise InputError(f"metadata: expected text by name, found something else for {strange[0]!r}; write it as text")
    kept = {name: value for name, value in sorted(metadata.items()) if name != PEFT_NOTE}
    plain = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    length = struct.unpack("<Q", plain[:8])[0]
    header = {"__metadata__": {"format": "pt", **kept}, **json.loads(plain[8 : 8 + length])}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    # Tensors stay aligned to eight bytes, as the format asks.
    text += b" " * (-len(text) % 8)
    return b"".join((struct.pack("<Q", len(text)), text, memoryview(plain)[8 + length :]))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open file; what goes wrong in it is told as an InputError that names it."""
    if path.suffix.lower() in _PICKLES:
        raise InputError(
            f"{path}: expected a .safetensors file, found a pickle, which can run programs; convert it to safetensors"
        )
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise InputError(f"{path}: expected a LoRA file, found nothing there") from error
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: expected a whole .safetensors file, found a damaged one or another format ({error}); get it again"
        ) from error


def _from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Lora:
    _refuse_other_kinds(tensors)
    scales = PeftScales.read(metadata)
    modules: dict[str, Factors] = {}
    for name, parts in _collect(tensors).items():
        path = path_of(name)
        made = _unfused(path, _baked(name, parts, scales, path))
        twice = modules.keys() & made.keys()
        if twice:
            raise InputError(f"{sorted(twice)[0]}: expected it once, found it under two names; the file is damaged")
        modules |= made
    return Lora(modules)


def _refuse_other_kinds(tensors: Mapping[str, Tensor]) -> None:
    for kind, pattern in _OTHER_KINDS.items():
        found = next((key for key in tensors if re.search(pattern, key)), None)
        if found is not None:
            raise InputError(f"expected a plain LoRA, found a {kind} (key {found}); convert it to a plain LoRA first")
    if not any("lora" in key for key in tensors):
        first = next(iter(tensors), "none")
        raise InputError(f"expected a LoRA, found no LoRA keys (first key: {first}); give a whole model as the base")


def _collect(tensors: Mapping[str, Tensor]) -> dict[str, _Parts]:
    """Module name as the file spells it -> its tensors. Raises InputError for a key of another form."""
    collected: dict[str, _Parts] = {}
    for key, tensor in tensors.items():
        name, side = _split(key)
        parts = collected.setdefault(name, _Parts())
        if side == "alpha":
            parts.alpha = _as_alpha(key, tensor)
        elif side in parts.factors:
            raise InputError(f"{key}: expected one {side} a module, found two; the file is damaged")
        elif not tensor.is_floating_point():
            raise InputError(f"{key}: expected floating-point numbers, found {tensor.dtype}; convert it first")
        else:
            parts.factors[side] = tensor.to(torch.float32).contiguous()
    return collected


def _split(key: str) -> tuple[str, str]:
    """A key -> module name and "A", "B" or "alpha"."""
    old = _OLD_ATTENTION.fullmatch(key)
    if old is not None:
        return old[1], "A" if old[2] == "down" else "B"
    if key.endswith(".alpha"):
        return key.removesuffix(".alpha"), "alpha"
    for suffix, side in _SUFFIXES.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix), side
    raise InputError(f"{key}: expected a key of a LoRA (lora_A, lora_down, alpha), found another; is it a LoRA?")


def _as_alpha(key: str, tensor: Tensor) -> float:
    value = float(tensor) if tensor.numel() == 1 else float("nan")
    if not 0 < value < float("inf"):
        raise InputError(f"{key}: expected one positive number, found {tensor.tolist()}; the file is damaged")
    return value


def _baked(name: str, parts: _Parts, scales: PeftScales, path: str) -> Factors:
    """A, and B times alpha / rank. Without an alpha the scale is 1, as every reader has it."""
    if parts.factors.keys() != {"A", "B"}:
        found = "only " + next(iter(parts.factors)) if parts.factors else "only alpha"
        raise InputError(f"{name}: expected A (down) and B (up), found {found}; the file is incomplete")
    down, up = parts.factors["A"], parts.factors["B"]
    rank = down.shape[0] if down.ndim else 0
    scale = parts.alpha / rank if parts.alpha is not None and rank else scales.of(path, rank)
    return down, up if scale == 1 else up * scale


def _unfused(path: str, factors: Factors) -> dict[str, Factors]:
    if component_of(path) != "transformer":
        return {path: factors}
    inner = from_original(path.removeprefix("transformer."), factors)
    return {f"transformer.{name}": part for name, part in inner.items()}
