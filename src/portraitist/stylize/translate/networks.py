"""The networks of a translator: one that paints, and critics that look at patches and at the whole.

Source: Kim et al., "U-GAT-IT", ICLR 2020, section 2 and appendix; narrower, the steering numbers from pooled features
(its light version), the side raised by nearest neighbours and a convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.stylize.translate.config import TranslateConfig, TranslatorSize
from portraitist.stylize.translate.layers import (
    SLOPE,
    AdaLIN,
    Attention,
    Convolution,
    Residual,
    SpectralConvolution,
    SteeredResidual,
)


@dataclass(frozen=True)
class Translated:
    """picture: (n, 3, h, w) in [0, 1], composed where there is a mask. logits: (n, 2) of the attention. mask:
    (n, 1, h, w), None without."""

    picture: Tensor
    logits: Tensor
    mask: Tensor | None


class Translator(nn.Module):
    """(n, 3, h, w) in [0, 1] -> Translated. Sides are multiples of 4."""

    def __init__(self, size: TranslatorSize, *, has_mask: bool = False) -> None:
        super().__init__()
        width, wide = size.width, 4 * size.width
        self.has_mask = has_mask
        self.stem = Convolution(3, width, 7)
        self.downs = nn.ModuleList([Convolution(width, 2 * width, 3, 2), Convolution(2 * width, wide, 3, 2)])
        self.encoder = nn.Sequential(*(Residual(wide) for _ in range(size.encoder_blocks)))
        self.attention = Attention(wide)
        self.steer = nn.Sequential(nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU())
        self.scale, self.move = nn.Linear(wide, wide), nn.Linear(wide, wide)
        self.decoder = nn.ModuleList(SteeredResidual(wide) for _ in range(size.decoder_blocks))
        self.ups = nn.ModuleList([Convolution(wide, 2 * width), Convolution(2 * width, width)])
        self.norms = nn.ModuleList(AdaLIN(out, 0.0, learns_scale=True) for out in (2 * width, width))
        self.paint = Convolution(width, 4 if has_mask else 3, 7)

    def forward(self, picture: Tensor) -> Translated:
        features = functional.relu(functional.instance_norm(self.stem(2 * picture - 1)))
        for down in self.downs:
            features = functional.relu(functional.instance_norm(down(features)))
        features, logits = self.attention(self.encoder(features))
        features = self._decoded(features)
        for up, norm in zip(self.ups, self.norms, strict=True):
            raised = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = functional.relu(norm(up(raised)))
        raw = self.paint(features)
        painted = torch.tanh(raw[:, :3]) / 2 + 0.5
        if not self.has_mask:
            return Translated(painted, logits, None)
        mask = raw[:, 3:].sigmoid()
        return Translated(torch.lerp(picture, painted, mask), logits, mask)

    def _decoded(self, features: Tensor) -> Tensor:
        steering = self.steer(features.mean(dim=(2, 3)))
        scale, move = (layer(steering)[:, :, None, None] for layer in (self.scale, self.move))
        for block in self.decoder:
            features = block(features, scale, move)
        return features


class Critic(nn.Module):
    """(n, 3, h, w) in [0, 1] -> verdicts (n, 1, h', w') and attention logits (n, 2); 1 is real.

    depth: layers of stride 2: 3 sees patches (local), 5 nearly the whole face (global).
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [min(width << number, 8 * width) for number in range(depth)]
        pairs = zip((3, *widths), widths, strict=False)
        self.layers = nn.ModuleList(SpectralConvolution(before, after, 4, 2, 1) for before, after in pairs)
        self.attention = Attention(widths[-1])
        self.verdict = SpectralConvolution(widths[-1], 1, 3, 1, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        features = 2 * picture - 1
        for layer in self.layers:
            features = functional.leaky_relu(layer(features), SLOPE)
        features, logits = self.attention(features)
        return self.verdict(features), logits


class Side(nn.Module):
    """The critics of one domain: `local` and `whole`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.critics = nn.ModuleList([Critic(width, 3), Critic(width, 5)])

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Every verdict and logit there is, each near 1 for a real picture."""
        return [answer for critic in self.critics for answer in critic(picture)]


class TranslatorNetworks(nn.Module):
    """All of them: what is trained, averaged and saved together. Only the way to the style has a mask."""

    def __init__(self, size: TranslatorSize, config: TranslateConfig) -> None:
        super().__init__()
        self.to_style = Translator(size, has_mask=config.keeper == "mask")
        self.to_photo = Translator(size)
        self.of_style, self.of_photo = Side(size.critic_width), Side(size.critic_width)
