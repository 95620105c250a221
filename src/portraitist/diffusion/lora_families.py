"""Which family of base models a LoRA or a pipeline belongs to, read from its modules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from portraitist.diffusion.lora import Lora

MINI, SD15, SD2, SDXL = "portrait-mini", "SD 1.5", "SD 2", "SDXL"
FLUX, FLUX1, FLUX2, Z_IMAGE = "FLUX", "FLUX.1", "FLUX.2", "Z-Image"
UNKNOWN = "an unknown base"
_BY_TEXT_WIDTH = {192: MINI, 768: SD15, 1024: SD2, 2048: SDXL}
_BY_TRANSFORMER = {
    "Flux2Transformer2DModel": FLUX2,
    "FluxTransformer2DModel": FLUX1,
    "ZImageTransformer2DModel": Z_IMAGE,
}
_TRANSFORMER_MARKS = {
    Z_IMAGE: r"\.(noise_refiner|context_refiner|layers)\.",
    FLUX2: r"\.(attn\.to_qkv_mlp_proj|ff(_context)?\.linear_(in|out)|\w+_stream_modulation\w*)",
    FLUX1: r"\.(proj_mlp|ff(_context)?\.net\.|norm\d?(_context)?\.linear)",
}


@dataclass(frozen=True)
class Family:
    """name: of the family, such as "SDXL". reason: what in the modules says so, to stand in brackets behind it."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def family_of_lora(lora: Lora) -> Family:
    """The likely family: by its second text encoder, the width of its text, or the names in its transformer."""
    if "transformer" in lora.components:
        return _family_of_transformer(lora)
    if "text_encoder_2" in lora.components:
        return Family(SDXL, "it has modules of a second text encoder")
    if any(re.search(r"transformer_blocks\.[1-9]", path) for path in lora.modules):
        return Family(SDXL, "it has several transformer blocks in one attention")
    widths = {down.shape[1] for path, (down, _) in lora.modules.items() if re.search(r"attn2\.to_[kv]$", path)}
    if len(widths) == 1:
        return _family_of_text_width(widths.pop())
    return Family(UNKNOWN, f"it has modules of {' and '.join(lora.components)} only")


def family_of_pipeline(pipeline: Any) -> Family:
    """The family of a diffusers pipeline."""
    transformer = getattr(pipeline, "transformer", None)
    if transformer is not None:
        name = type(transformer).__name__
        return Family(_BY_TRANSFORMER.get(name, UNKNOWN), f"a {name}")
    unet = getattr(pipeline, "unet", None)
    if unet is None:
        return Family(UNKNOWN, f"a {type(pipeline).__name__}")
    if unet.config.addition_embed_type == "text_time":
        return Family(SDXL, "its U-Net listens to size and crop")
    return _family_of_text_width(unet.config.cross_attention_dim)


def _family_of_transformer(lora: Lora) -> Family:
    for name, mark in _TRANSFORMER_MARKS.items():
        path = next((path for path in lora.modules if re.search(mark, path)), None)
        if path is not None:
            return Family(name, f"it has {path}")
    return Family(FLUX, "it has transformer blocks")


def _family_of_text_width(width: int) -> Family:
    if width in _BY_TEXT_WIDTH:
        return Family(_BY_TEXT_WIDTH[width], f"text of width {width}")
    return Family(f"a Stable Diffusion with text of width {width}", "a width of no base that is known here")
