"""A ControlNet a twelfth of its base's size.

A full ControlNet copies the encoder of the base (Zhang et al. 2023). Lines drawn on a face say where things are, not
what they look like, so a narrow trunk is enough; 1 x 1 convolutions that begin at zero widen it to the base's
channels.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.controlnets.controlnet import ControlNetOutput
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

PATCH = 8
"""Pixels of the condition to one latent position."""


class LeanControlNet(ControlNetModel):  # type: ignore[misc]
    """Stands where `ControlNetModel` stands in a diffusers pipeline.

    in_channels: of the latents. base_channels: the base's block_out_channels. layers_per_block: the base's. widths: of
    the trunk at each level. Conditions are (b, 3, h, w) in [0, 1] at image size.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        in_channels: int = 64,
        base_channels: tuple[int, ...] = (128, 160, 192),
        layers_per_block: int = 1,
        widths: tuple[int, ...] = (64, 80, 112),
        norm_groups: int = 16,
        global_pool_conditions: bool = False,
    ) -> None:
        # Not ControlNetModel's own constructor: it would build the copy of the encoder.
        ModelMixin.__init__(self)
        first, time_width = widths[0], 4 * widths[0]
        self.time_proj = Timesteps(first, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(first, time_width)
        self.conv_in = nn.Conv2d(in_channels, first, 3, padding=1)
        self.condition = _condition_encoder(first, norm_groups)
        self.levels = nn.ModuleList()
        self.widen = nn.ModuleList([_zero_conv(first, base_channels[0])])
        for level, (width, channels) in enumerate(zip(widths, base_channels, strict=True)):
            self._add_level(level, width, channels, time_width)
        self.middle = _block(widths[-1], widths[-1], time_width, norm_groups)
        self.widen_middle = _zero_conv(widths[-1], base_channels[-1])

    def _add_level(self, level: int, width: int, channels: int, time_width: int) -> None:
        widths, groups = self.config.widths, self.config.norm_groups
        before = widths[max(level - 1, 0)]
        parts = nn.ModuleList()
        for layer in range(self.config.layers_per_block):
            parts.append(_block(before if layer == 0 else width, width, time_width, groups))
            self.widen.append(_zero_conv(width, channels))
        if level < len(widths) - 1:
            parts.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
            self.widen.append(_zero_conv(width, channels))
        self.levels.append(parts)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float | int,
        encoder_hidden_states: Tensor | None,
        controlnet_cond: Tensor,
        conditioning_scale: float = 1.0,
        class_labels: Tensor | None = None,
        timestep_cond: Tensor | None = None,
        attention_mask: Tensor | None = None,
        added_cond_kwargs: dict[str, Tensor] | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        guess_mode: bool = False,
        return_dict: bool = True,
    ) -> Any:
        """Residuals for the base's skip connections and its middle; the text is not looked at."""
        time = torch.as_tensor(timestep, device=sample.device).expand(len(sample))
        embedded = self.time_embedding(self.time_proj(time).to(sample.dtype))
        hidden = self.conv_in(sample) + self.condition(controlnet_cond)
        trunk = [hidden]
        for level in self.levels:
            for part in level:  # type: ignore[attr-defined]
                hidden = part(hidden, embedded) if isinstance(part, ResnetBlock2D) else part(hidden)
                trunk.append(hidden)
        residuals = [widen(features) for widen, features in zip(self.widen, trunk, strict=True)]
        residuals.append(self.widen_middle(self.middle(hidden, embedded)))
        scales = _guess_scales(len(residuals)) if guess_mode else [1.0] * len(residuals)
        *down, middle = (r * scale * conditioning_scale for r, scale in zip(residuals, scales, strict=True))
        return ControlNetOutput(tuple(down), middle) if return_dict else (tuple(down), middle)


def _condition_encoder(width: int, groups: int) -> nn.Sequential:
    """From the picture to the latents' grid in one fold and two convolutions.

    The usual stack of strided convolutions hands thin lines on at a thousandth of their strength: after 900 steps the
    steered base was as good with the wrong condition as with the right one.
    """
    return nn.Sequential(
        nn.PixelUnshuffle(PATCH),
        nn.Conv2d(3 * PATCH * PATCH, width, 3, padding=1),
        nn.GroupNorm(groups, width),
        nn.SiLU(),
        nn.Conv2d(width, width, 3, padding=1),
    )


def _guess_scales(count: int) -> list[float]:
    """0.1 to 1 from shallow to deep, the weights of diffusers' guess mode."""
    return [float(scale) for scale in torch.logspace(-1, 0, count)]


def _block(before: int, width: int, time_width: int, groups: int) -> ResnetBlock2D:
    return ResnetBlock2D(in_channels=before, out_channels=width, temb_channels=time_width, groups=groups)


def _zero_conv(before: int, after: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, 1)
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv
