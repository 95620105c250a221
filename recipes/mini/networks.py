"""The two networks that are trained together: a text encoder and the denoiser that listens to it."""

from __future__ import annotations

from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from recipes.mini.config import MiniConfig


class TextToLatents(nn.Module):
    """Predicts clean latents from noisy ones, their noise level and a tokenised prompt."""

    def __init__(self, config: MiniConfig, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.text_encoder = build_text_encoder(config, tokenizer)
        self.unet = build_unet(config)

    def forward(self, noisy: Tensor, sigmas: Tensor, tokens: Tensor) -> Tensor:
        """noisy: (b, c, h, w). sigmas: (b,). tokens: (b, max_tokens). Returns clean latents of noisy's shape."""
        text = self.text_encoder(tokens).last_hidden_state
        predicted: Tensor = self.unet(noisy, sigmas * 1000, text).sample
        return predicted


def build_unet(config: MiniConfig) -> UNet2DConditionModel:
    """Three levels with one block each; attention on the lower two, where it is cheap."""
    widths = config.unet.widths
    return UNet2DConditionModel(
        sample_size=config.image_side // 8,
        in_channels=config.latent_channels,
        out_channels=config.latent_channels,
        block_out_channels=widths,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=config.text.width,
        # diffusers reads this field as the number of heads.
        attention_head_dim=tuple(width // config.unet.head_width for width in widths),
        norm_num_groups=config.unet.norm_groups,
        dropout=config.unet.dropout,
    )


def build_text_encoder(config: MiniConfig, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A small CLIP text transformer, trained from scratch with the denoiser."""
    text = config.text
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=text.width,
            intermediate_size=2 * text.width,
            num_hidden_layers=text.layers,
            num_attention_heads=text.heads,
            max_position_embeddings=text.max_tokens,
            projection_dim=text.width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
