"""FLUX.2's modules by the names of its original code, which ComfyUI reads, and back.

The original has q, k and v in one weight. Three LoRAs become one of three times the rank, block by block, exactly;
coming back, the ranks that are zero in a third are dropped from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from portraitist.diffusion.lora import Factors
from portraitist.errors import InputError

_DOUBLE = {
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
    "ff.linear_in": "img_mlp.0",
    "ff.linear_out": "img_mlp.2",
    "ff_context.linear_in": "txt_mlp.0",
    "ff_context.linear_out": "txt_mlp.2",
}
_SINGLE = {"attn.to_qkv_mlp_proj": "linear1", "attn.to_out": "linear2"}
_FUSED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
_OUTSIDE = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_guidance_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_guidance_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
}
_BLOCK = re.compile(r"((?:single_)?transformer_blocks|double_blocks|single_blocks)\.(\d+)\.(.+)")
_PLACE = {third: (fused, place) for fused, thirds in _FUSED.items() for place, third in enumerate(thirds)}
_FROM_DOUBLE = {original: name for name, original in _DOUBLE.items()}
_FROM_SINGLE = {original: name for name, original in _SINGLE.items()}
_FROM_OUTSIDE = {original: name for name, original in _OUTSIDE.items()}


def to_original(modules: Mapping[str, Factors]) -> dict[str, Factors]:
    """Paths within the transformer and factors -> the same by original names. InputError for a module without one."""
    made: dict[str, Factors] = {}
    thirds: dict[str, dict[int, Factors]] = {}
    for path, factors in modules.items():
        match = _BLOCK.fullmatch(path)
        if match is not None and match[1] == "transformer_blocks" and match[3] in _PLACE:
            fused, place = _PLACE[match[3]]
            thirds.setdefault(f"double_blocks.{match[2]}.{fused}", {})[place] = factors
        else:
            made[_original_name(path)] = factors
    return made | {name: _join(parts) for name, parts in thirds.items()}


def from_original(path: str, factors: Factors) -> dict[str, Factors]:
    """One module by its original name -> by diffusers' names, three for q, k and v; any other path as it is."""
    match = _BLOCK.fullmatch(path)
    if match is None:
        return {_FROM_OUTSIDE.get(path, path): factors}
    kind, index, inner = match.groups()
    if kind == "double_blocks" and inner in _FUSED:
        return {f"transformer_blocks.{index}.{_FUSED[inner][place]}": part for place, part in _part(factors).items()}
    if kind == "double_blocks" and inner in _FROM_DOUBLE:
        return {f"transformer_blocks.{index}.{_FROM_DOUBLE[inner]}": factors}
    if kind == "single_blocks" and inner in _FROM_SINGLE:
        return {f"single_transformer_blocks.{index}.{_FROM_SINGLE[inner]}": factors}
    return {path: factors}


def _original_name(path: str) -> str:
    match = _BLOCK.fullmatch(path)
    if match is None and path in _OUTSIDE:
        return _OUTSIDE[path]
    if match is not None and match[1] == "transformer_blocks" and match[3] in _DOUBLE:
        return f"double_blocks.{match[2]}.{_DOUBLE[match[3]]}"
    if match is not None and match[1] == "single_transformer_blocks" and match[3] in _SINGLE:
        return f"single_blocks.{match[2]}.{_SINGLE[match[3]]}"
    raise InputError(f"{path}: expected a module of FLUX.2 with an original name, found none; write diffusers keys")


def _join(parts: Mapping[int, Factors]) -> Factors:
    """A = [A_q; A_k; A_v], B block-diagonal over the three outputs, which are equally wide; an absent third is zero."""
    width = next(iter(parts.values()))[1].shape[0]
    ups = []
    for place, (_, up) in sorted(parts.items()):
        tall = up.new_zeros(3 * width, up.shape[1])
        tall[place * width : (place + 1) * width] = up
        ups.append(tall)
    return torch.cat([parts[place][0] for place in sorted(parts)]), torch.cat(ups, dim=1)


def _part(factors: Factors) -> dict[int, Factors]:
    """The thirds that are not zero, each with the ranks it uses; all three when everything is zero."""
    down, up = factors
    thirds = up.chunk(3)
    if len(thirds) < 3 or len({third.shape[0] for third in thirds}) > 1:
        raise InputError(f"expected q, k and v of one width in a weight of FLUX.2, found {tuple(up.shape)} for B")
    used = [third.any(dim=0) for third in thirds]
    if not any(mask.any() for mask in used):
        return {place: (down, third.contiguous()) for place, third in enumerate(thirds)}
    return {
        place: (down[mask].contiguous(), third[:, mask].contiguous())
        for place, (third, mask) in enumerate(zip(thirds, used))
        if mask.any()
    }
