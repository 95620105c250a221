"""A tiny pipeline with random weights for every base, of the real classes: `tiny_pipeline("sdxl")`.

They draw noise, but they load, train, save and draw through the same code as the real ones.
"""

from __future__ import annotations

from pathlib import Path
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
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2TokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
)

from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from recipes.mini.config import TINY
from recipes.mini.export import build_pipeline
from recipes.mini.networks import TextToLatents

IMAGE_SIDE = {"mini": 32, "sd15": 32, "sdxl": 32, "flux2-klein-4b": 64, "z-image": 32, "z-image-turbo": 32}
"""Pixels a side that each tiny pipeline draws. FLUX.2 refuses references under 64."""
CALL: dict[str, dict[str, Any]] = {
    "flux2-klein-4b": {"text_encoder_out_layers": (1, 2), "max_sequence_length": 64},
    "z-image": {"max_sequence_length": 32},
    "z-image-turbo": {"max_sequence_length": 32},
}
"""What a call of a tiny pipeline needs besides prompt, size and steps."""


def tiny_pipeline(name: str, *, seed: int = 0) -> Any:
    """The text pipeline of the base `name`, its weights drawn from `seed`; on the CPU in float32, no progress bar."""
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    pipeline = _BUILDERS[name]()
    torch.random.set_rng_state(state)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_tiny(name: str, folder: Path, *, variant: str | None = None) -> Path:
    """Save the tiny pipeline as a diffusers folder, as its repository has it."""
    tiny_pipeline(name).save_pretrained(folder, safe_serialization=True, variant=variant)
    return folder


def draw_tiny(pipeline: Any, name: str, *, steps: int = 2, seed: int = 0, **more: Any) -> Any:
    """One (side, side, 3) float array in [0, 1]."""
    side = IMAGE_SIDE[name]
    generator = torch.Generator().manual_seed(seed)
    call = {"height": side, "width": side, "num_inference_steps": steps, **CALL.get(name, {}), **more}
    return pipeline(prompt="a portrait", generator=generator, output_type="np", **call).images[0]


def _mini() -> StableDiffusionPipeline:
    autoencoder = PatchAutoencoder.fit(torch.rand(8, 3, 32, 32) * 2 - 1, latent_channels=TINY.latent_channels)
    networks = TextToLatents(TINY, build_tokenizer(TINY.text.max_tokens)).eval()
    return build_pipeline(TINY, networks, autoencoder)


def _sd15() -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=_autoencoder(4, 0.18215),
        text_encoder=CLIPTextModel(_clip_config("quick_gelu")).eval(),
        tokenizer=_clip_tokenizer(),
        unet=_unet(cross_attention_dim=32, attention_head_dim=2),
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl() -> StableDiffusionXLPipeline:
    # Time ids are six numbers of 8 values each; with the 64 of the pooled text they make the 112 that are projected.
    # The encoders differ in width, by which diffusers tells them apart in a single file.
    added = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 112,
        "transformer_layers_per_block": (1, 1),
        "use_linear_projection": True,
    }
    return StableDiffusionXLPipeline(
        vae=_autoencoder(4, 0.13025),
        text_encoder=CLIPTextModel(_clip_config("quick_gelu")).eval(),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config("gelu", width=64)).eval(),
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_clip_tokenizer(),
        unet=_unet(cross_attention_dim=96, attention_head_dim=(2, 2), **added),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        add_watermarker=False,
    )


def _klein() -> Flux2KleinPipeline:
    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        timestep_guidance_channels=256,
        axes_dims_rope=[4, 4, 4, 4],
        guidance_embeds=False,
    )
    autoencoder = AutoencoderKLFlux2(
        block_out_channels=(8,),
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=32,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder.eval(),
        text_encoder=Qwen3ForCausalLM(_qwen_config(layers=3)).eval(),
        tokenizer=_qwen_tokenizer(),
        transformer=transformer.eval(),
        is_distilled=True,
    )


def _z_image() -> ZImagePipeline:
    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[256, 32, 32],
    )
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_autoencoder(16, 0.3611, shift_factor=0.1159),
        text_encoder=Qwen3Model(_qwen_config(layers=2)).eval(),
        tokenizer=_qwen_tokenizer(),
        transformer=transformer.eval(),
    )


_BUILDERS = {
    "mini": _mini,
    "sd15": _sd15,
    "sdxl": _sdxl,
    "flux2-klein-4b": _klein,
    "z-image": _z_image,
    "z-image-turbo": _z_image,
}


def _unet(**more: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
        **more,
    ).eval()


def _autoencoder(channels: int, scaling_factor: float, shift_factor: float | None = None) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=channels,
        sample_size=32,
        scaling_factor=scaling_factor,
        shift_factor=shift_factor,
    ).eval()


def _clip_config(activation: str, width: int = 32) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=600,
        hidden_size=width,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=77,
        hidden_act=activation,
        projection_dim=width,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )


def _clip_tokenizer() -> CLIPTokenizer:
    """Letters, letters at a word's end, and the two marks; no merges, so every letter is a token."""
    letters = _byte_letters()
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=[], model_max_length=77)


def _qwen_config(layers: int) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=300,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=512,
    )


def _qwen_tokenizer() -> Qwen2TokenizerFast:
    tokens = [*_byte_letters(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Qwen2TokenizerFast(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=[],
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        model_max_length=512,
    )
    tokenizer.chat_template = "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}"
    return tokenizer


def _byte_letters() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())
