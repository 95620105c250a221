"""How programs spell the path of a module in a LoRA file, and our spelling of it.

diffusers and PEFT write the path itself behind the component. kohya, A1111 and Forge write `lora_unet_` or `lora_te_`
and the path with underscores for dots, which only reads back with a list of the names that have their own underscores.
Old SDXL files name the blocks of the U-Net as the original code did (`input_blocks`).
"""

from __future__ import annotations

import re

from portraitist.diffusion.lora import COMPONENTS, component_of
from portraitist.errors import InputError

_TEXT_ENCODERS = ("text_encoder", "text_encoder_2")
_KOHYA = {
    "lora_unet_": None,
    "lora_transformer_": "transformer",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
"""Prefix -> component; None where the names behind it tell whether it is a U-Net or a transformer."""


def _words(text: str) -> set[str]:
    return set(text.split())


_UNET_ROOTS = {"down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding", "add_embedding"}
_ORIGINAL_UNET_ROOTS = {"input_blocks", "middle_block", "output_blocks", "time_embed", "label_emb", "out"}
_TRANSFORMER_ROOTS = _words(
    "transformer_blocks single_transformer_blocks x_embedder context_embedder time_guidance_embed norm_out proj_out "
    "double_blocks single_blocks img_in txt_in time_in guidance_in final_layer single_stream_modulation "
    "double_stream_modulation_img double_stream_modulation_txt "
    "layers noise_refiner context_refiner all_x_embedder all_final_layer cap_embedder t_embedder"
)
_WITH_UNDERSCORES = (
    _UNET_ROOTS
    | _ORIGINAL_UNET_ROOTS
    | _TRANSFORMER_ROOTS
    | _words(
        "to_q to_k to_v to_out to_add_out add_q_proj add_k_proj add_v_proj to_qkv_mlp_proj proj_in linear_1 linear_2 "
        "linear_in linear_out conv_shortcut time_emb_proj in_layers out_layers emb_layers skip_connection "
        "img_attn txt_attn img_mlp txt_mlp in_layer out_layer ff_context adaLN_modulation feed_forward "
        "timestep_embedder guidance_embedder text_model self_attn q_proj k_proj v_proj out_proj text_projection"
    )
)
_TOKEN = re.compile(rf"(?:{'|'.join(sorted(_WITH_UNDERSCORES, key=len, reverse=True))}|[^_]+)(?=_|$)")
_ORIGINAL_RESNET = {
    "in_layers.2": "conv1",
    "out_layers.3": "conv2",
    "emb_layers.1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}
_ORIGINAL_UNET = {
    "input_blocks.0.0": "conv_in",
    "out.2": "conv_out",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
}
_BLOCKS_A_LEVEL = 3
"""Two residual blocks and the step to the next level, in SD 1, SD 2 and SDXL alike."""
_OLD_ATTENTION = re.compile(r"(?:\.processor)?\.to_(q|k|v|out)_lora$")


def path_of(name: str) -> str:
    """Our path of a module from any spelling; FLUX.2 keeps its original names. Raises InputError for an unknown one.

    >>> path_of("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0")
    'unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0'
    >>> path_of("lora_te1_text_model_encoder_layers_3_self_attn_q_proj")
    'text_encoder.encoder.layers.3.self_attn.q_proj'
    >>> path_of("lora_unet_input_blocks_4_1_proj_in")
    'unet.down_blocks.1.attentions.0.proj_in'
    """
    for prefix, component in _KOHYA.items():
        if name.startswith(prefix):
            inner = ".".join(_TOKEN.findall(name.removeprefix(prefix)))
            return _denoiser_path(name, inner) if component is None else component_path(component, inner)
    if component_of(name) in COMPONENTS:
        component, _, inner = name.partition(".")
        return component_path(component, _modern(component, inner))
    inner = name.removeprefix("diffusion_model.")
    return _denoiser_path(name, _modern("unet", inner))


def component_path(component: str, inner: str) -> str:
    """Component and path within it -> our path: without `text_model`, a level that only some text encoders have."""
    if component in _TEXT_ENCODERS:
        inner = inner.removeprefix("text_model.")
    return f"{component}.{inner}"


def peft_name(path: str) -> str:
    """Our path as diffusers and PEFT files have it: text encoders with `text_model`, which every reader takes.

    >>> peft_name("text_encoder.encoder.layers.0.mlp.fc1")
    'text_encoder.text_model.encoder.layers.0.mlp.fc1'
    """
    component, _, inner = path.partition(".")
    if component in _TEXT_ENCODERS and inner.startswith("encoder."):
        return f"{component}.text_model.{inner}"
    return path


def kohya_name(path: str, *, has_two_encoders: bool) -> str:
    """Our path as A1111, Forge and ComfyUI read it. has_two_encoders: SDXL counts them, SD 1.5 has no number.

    Raises InputError for a module whose name would not read back.
    """
    component, _, inner = peft_name(path).partition(".")
    first = "lora_te1_" if has_two_encoders else "lora_te_"
    prefix = {"unet": "lora_unet_", "text_encoder": first, "text_encoder_2": "lora_te2_"}.get(component, "lora_unet_")
    name = prefix + inner.replace(".", "_")
    if path_of(name) != path:
        raise InputError(f"{path}: expected a module with a kohya name, found one without; write diffusers keys")
    return name


def _denoiser_path(name: str, inner: str) -> str:
    """A path of an unnamed component: the first word tells which it is."""
    root = inner.partition(".")[0]
    if root in _UNET_ROOTS:
        return f"unet.{inner}"
    if root in _ORIGINAL_UNET_ROOTS:
        return f"unet.{_from_original_unet(name, inner)}"
    if root in _TRANSFORMER_ROOTS:
        return f"transformer.{inner}"
    raise InputError(f"{name}: expected a module of SD 1.5, SDXL, FLUX.2 or Z-Image, found none that is known here")


def _from_original_unet(name: str, inner: str) -> str:
    """`output_blocks.5.1.proj_in` -> `up_blocks.1.attentions.2.proj_in`; the inner names tell what a block is."""
    if inner in _ORIGINAL_UNET:
        return _ORIGINAL_UNET[inner]
    match = re.fullmatch(r"(input_blocks|output_blocks)\.(\d+)\.\d+\.(.+)|(middle_block)\.(\d)\.(.+)", inner)
    if match is None:
        raise InputError(f"{name}: expected a block of a Stable Diffusion U-Net, found none that is known here")
    if match[4]:
        place, kind = "mid_block", {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}.get(match[5], "unknown")
        return f"{place}.{kind}.{_ORIGINAL_RESNET.get(match[6], match[6])}"
    down = match[1] == "input_blocks"
    level, layer = divmod(int(match[2]) - down, _BLOCKS_A_LEVEL)
    return f"{'down' if down else 'up'}_blocks.{level}.{_inside_block(match[3], layer, down)}"


def _inside_block(inner: str, layer: int, down: bool) -> str:
    if inner in _ORIGINAL_RESNET:
        return f"resnets.{layer}.{_ORIGINAL_RESNET[inner]}"
    if inner in ("op", "conv"):
        return "downsamplers.0.conv" if down else "upsamplers.0.conv"
    return f"attentions.{layer}.{inner}"


def _modern(component: str, inner: str) -> str:
    """Names of the attention processors that diffusers had before it used PEFT -> names of the modules."""
    match = _OLD_ATTENTION.search(inner)
    if match is None:
        return inner.replace(".processor.", ".")
    if component in _TEXT_ENCODERS:
        return f"{inner[: match.start()]}.{match[1]}_proj"
    return f"{inner[: match.start()]}.to_{match[1]}{'.0' if match[1] == 'out' else ''}"
