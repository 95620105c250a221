"""A pipeline as one checkpoint in the layout of the original repositories: the names diffusers reads back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

State = dict[str, Tensor]

RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
ENDS = (
    ("conv_in.", "input_blocks.0.0."),
    ("time_embedding.linear_1.", "time_embed.0."),
    ("time_embedding.linear_2.", "time_embed.2."),
    ("add_embedding.linear_1.", "label_emb.0.0."),
    ("add_embedding.linear_2.", "label_emb.0.2."),
    ("conv_norm_out.", "out.0."),
    ("conv_out.", "out.2."),
)


def save_single_file(pipeline: Any, path: Path) -> Path:
    """Write a Stable Diffusion 1.5 or SDXL pipeline as one .safetensors file."""
    state = {f"model.diffusion_model.{k}": v for k, v in _unet(pipeline.unet).items()}
    state |= {f"first_stage_model.{k}": v for k, v in _autoencoder(pipeline.vae).items()}
    if hasattr(pipeline, "text_encoder_2"):
        state |= _clip(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        state |= _open_clip(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    else:
        state |= _clip(pipeline.text_encoder, "cond_stage_model.transformer.")
    save_file({name: value.contiguous().clone() for name, value in state.items()}, path)
    return path


def _unet(unet: Any) -> State:
    per_level = unet.config.layers_per_block + 1
    return {_unet_name(name, per_level): value for name, value in unet.state_dict().items()}


def _unet_name(name: str, per_level: int) -> str:
    found = re.match(
        r"(down|up|mid)_blocks?\.(?:(\d+)\.)?(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name
    )
    if not found:
        return _replaced(name, ENDS)
    side, level, kind, number, rest = found[1], int(found[2] or 0), found[3], int(found[4]), found[5]
    rest = _replaced(rest, RESNET) if kind == "resnets" else rest
    if side == "mid":
        return f"middle_block.{2 * number if kind == 'resnets' else 1}.{rest}"
    if kind == "downsamplers":
        return f"input_blocks.{(level + 1) * per_level}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        # The tiny U-Nets have no attention in the level that is enlarged.
        return f"output_blocks.{level * per_level + per_level - 1}.1.{rest}"
    slot = 0 if kind == "resnets" else 1
    if side == "down":
        return f"input_blocks.{level * per_level + number + 1}.{slot}.{rest}"
    return f"output_blocks.{level * per_level + number}.{slot}.{rest}"


def _autoencoder(vae: Any) -> State:
    levels = len(vae.config.block_out_channels)
    state = {}
    for name, value in vae.state_dict().items():
        new = _autoencoder_name(name, levels)
        is_convolution = "mid.attn_1" in new and "norm" not in new and new.endswith("weight")
        state[new] = value[:, :, None, None] if is_convolution else value
    return state


def _autoencoder_name(name: str, levels: int) -> str:
    name = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{levels - 1 - int(found[1])}", name)
    pairs = (
        ("down_blocks", "down"),
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("mid_block.attentions.0", "mid.attn_1"),
        ("resnets", "block"),
        ("conv_shortcut", "nin_shortcut"),
        ("downsamplers.0", "downsample"),
        ("upsamplers.0", "upsample"),
        ("conv_norm_out", "norm_out"),
        ("group_norm", "norm"),
        ("to_q.", "q."),
        ("to_k.", "k."),
        ("to_v.", "v."),
        ("to_out.0", "proj_out"),
    )
    return _replaced(name, pairs)


def _clip(encoder: Any, prefix: str) -> State:
    """transformers 5 leaves the level `text_model` out of CLIPTextModel; checkpoints have it."""
    names = {name: name.removeprefix("text_model.") for name in encoder.state_dict()}
    return {f"{prefix}text_model.{names[name]}": value for name, value in encoder.state_dict().items()}


def _open_clip(encoder: Any, prefix: str) -> State:
    state = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    found = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "ln_final.weight": state["final_layer_norm.weight"],
        "ln_final.bias": state["final_layer_norm.bias"],
        "text_projection": state["text_projection.weight"].T,
    }
    for layer in range(encoder.config.num_hidden_layers):
        old, new = f"encoder.layers.{layer}.", f"transformer.resblocks.{layer}."
        for end in ("weight", "bias"):
            parts = [state[f"{old}self_attn.{part}_proj.{end}"] for part in "qkv"]
            found[f"{new}attn.in_proj_{end}"] = torch.cat(parts)
            found[f"{new}attn.out_proj.{end}"] = state[f"{old}self_attn.out_proj.{end}"]
            for theirs, ours in (("ln_1", "layer_norm1"), ("ln_2", "layer_norm2")):
                found[f"{new}{theirs}.{end}"] = state[f"{old}{ours}.{end}"]
            for theirs, ours in (("c_fc", "fc1"), ("c_proj", "fc2")):
                found[f"{new}mlp.{theirs}.{end}"] = state[f"{old}mlp.{ours}.{end}"]
    return {prefix + name: value for name, value in found.items()}


def _replaced(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        name = name.replace(old, new)
    return name
