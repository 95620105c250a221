"""Pipelines of the hub bases' real sizes with random weights: what they cost is true, what they draw is noise.

Sizes were read from configurations that public projects carry: Stable Diffusion 1.5 (open-mmlab/mmagic,
configs/stable_diffusion), SDXL and its two text encoders (several copies of its unet/config.json, all the same), FLUX.2
klein 4B and its Qwen3 encoder (filipstrand/mflux, invoke-ai/InvokeAI, diffusers' own conversion script). Tokenizers are
those of the tiny test models: how a prompt is cut does not change what it costs, as prompts are padded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, Qwen3Config, Qwen3ForCausalLM

from tests.diffusion.tiny_bases import tiny_pipeline

BASES = ("sd15", "sdxl", "flux2-klein-4b")


def real_pipeline(name: str, device: str, dtype: torch.dtype = torch.bfloat16) -> Any:
    """The text pipeline of a base, its weights born on the device. device: "meta" only counts them."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            parts = {part: build().eval() for part, build in NETWORKS[name].items()}
    finally:
        torch.set_default_dtype(before)
    tiny = tiny_pipeline(name)
    tokens = {part: value for part, value in tiny.components.items() if part.startswith("tokenizer")}
    pipeline: Any = _PIPELINES[name](**parts, **tokens, **_rest(name))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def parameters(name: str) -> dict[str, int]:
    """How many weights each network has, without making them."""
    with torch.device("meta"):
        return {part: sum(p.numel() for p in build().parameters()) for part, build in NETWORKS[name].items()}


def _sd15_unet() -> UNet2DConditionModel:
    # The class's defaults are Stable Diffusion's but for these.
    return UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)


def _sdxl_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=2048,
        attention_head_dim=(5, 10, 20),
        transformer_layers_per_block=(1, 2, 10),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )


def _klein_transformer() -> Flux2Transformer2DModel:
    return Flux2Transformer2DModel(
        patch_size=1,
        in_channels=128,
        num_layers=5,
        num_single_layers=20,
        attention_head_dim=128,
        num_attention_heads=24,
        joint_attention_dim=7680,
        timestep_guidance_channels=256,
        mlp_ratio=3.0,
        axes_dims_rope=(32, 32, 32, 32),
        rope_theta=2000,
        guidance_embeds=False,
    )


def _autoencoder(scaling_factor: float, sample_size: int) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=sample_size,
        scaling_factor=scaling_factor,
    )


def _clip_large() -> CLIPTextConfig:
    return _clip(768, 3072, layers=12, heads=12, activation="quick_gelu")


def _clip(width: int, inner: int, *, layers: int, heads: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
        hidden_act=activation,
    )


def _qwen() -> Qwen3Config:
    return Qwen3Config(
        vocab_size=151936,
        hidden_size=2560,
        intermediate_size=9728,
        num_hidden_layers=36,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=True,
    )


NETWORKS: dict[str, dict[str, Callable[[], Any]]] = {
    "sd15": {
        "unet": _sd15_unet,
        "vae": lambda: _autoencoder(0.18215, 512),
        "text_encoder": lambda: CLIPTextModel(_clip_large()),
    },
    "sdxl": {
        "unet": _sdxl_unet,
        "vae": lambda: _autoencoder(0.13025, 1024),
        "text_encoder": lambda: CLIPTextModel(_clip_large()),
        "text_encoder_2": lambda: CLIPTextModelWithProjection(
            _clip(1280, 5120, layers=32, heads=20, activation="gelu")
        ),
    },
    "flux2-klein-4b": {
        "transformer": _klein_transformer,
        "vae": AutoencoderKLFlux2,
        "text_encoder": lambda: Qwen3ForCausalLM(_qwen()),
    },
}
_PIPELINES: dict[str, Any] = {
    "sd15": StableDiffusionPipeline,
    "sdxl": StableDiffusionXLPipeline,
    "flux2-klein-4b": Flux2KleinPipeline,
}
_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def _rest(name: str) -> dict[str, Any]:
    """Scheduler and switches."""
    if name == "sd15":
        scheduler = DDIMScheduler(**_BETAS, clip_sample=False)
        return {
            "scheduler": scheduler, "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False
        }  # fmt: skip
    if name == "sdxl":
        return {"scheduler": EulerDiscreteScheduler(**_BETAS), "add_watermarker": False}
    return {"scheduler": FlowMatchEulerDiscreteScheduler(), "is_distilled": True}
