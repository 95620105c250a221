"""The two networks: mapping and synthesis make a picture of a latent, the discriminator doubts pictures.

Source: Karras et al. 2020, configuration F: skips to RGB in the generator, residual blocks in the discriminator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.layers import Conv, Linear, ModulatedConv, doubled, leaky

MAPPING_RATE = 0.01
GROUP = 4
"""Pictures whose deviation the discriminator looks at together."""


class Mapping(nn.Module):
    """z to w, both (n, latent). z is brought to length sqrt(latent) first."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        count = size.mapping_layers
        self.layers = nn.ModuleList(Linear(size.latent, size.latent, rate=MAPPING_RATE) for _ in range(count))

    def forward(self, z: Tensor) -> Tensor:
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            x = leaky(layer(x))
        return x


class StyledConv(nn.Module):
    """A modulated convolution, noise of a learned strength, a bias, the activation."""

    def __init__(self, inputs: int, outputs: int, latent: int, side: int, *, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, latent, up=up)
        self.strength = nn.Parameter(torch.zeros([]))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise", torch.randn(side, side, generator=torch.Generator().manual_seed(side + up)))
        self.noise: Tensor

    def forward(self, x: Tensor, w: Tensor, fresh: bool) -> Tensor:
        """fresh: new noise for each picture instead of the layer's own."""
        x = self.conv(x, w)
        noise = torch.randn_like(x[:, :1]) if fresh else self.noise
        return leaky(x + noise * self.strength + self.bias[:, None, None])


class Level(nn.Module):
    """One side of the synthesis: features doubled and styled twice (the first level once), and its part of the RGB."""

    def __init__(self, size: GeneratorSize, side: int) -> None:
        super().__init__()
        channels, is_first = size.channels(side), side == 4
        before = channels if is_first else size.channels(side // 2)
        self.first = None if is_first else StyledConv(before, channels, size.latent, side, up=True)
        self.second = StyledConv(channels, channels, size.latent, side, up=False)
        self.to_rgb = ModulatedConv(channels, 3, 1, size.latent, demodulates=False)
        self.rgb_bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, rgb: Tensor | None, w: Sequence[Tensor], fresh: bool) -> tuple[Tensor, Tensor]:
        """Features and RGB of this side, from those of the side before. w: three latents (n, latent); the first is
        not used on the first level."""
        if self.first is not None:
            x = self.first(x, w[0], fresh)
        x = self.second(x, w[1], fresh)
        colours = self.to_rgb(x, w[2]) + self.rgb_bias[:, None, None]
        return x, colours if rgb is None else doubled(rgb) + colours


class Synthesis(nn.Module):
    """(n, latents, latent) to (n, 3, side, side), about [-1, 1]. Level i takes latents 2i - 1, 2i and 2i + 1, so that
    its colours and the next level's first convolution share one."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        self.size = size
        self.constant = nn.Parameter(torch.randn(size.channels(4), 4, 4))
        self.levels = nn.ModuleList(Level(size, side) for side in size.sides)

    def forward(self, w: Tensor, *, fresh: bool = False) -> Tensor:
        """fresh: new noise, as in training; otherwise the same latents always give the same picture."""
        *_, (_, rgb) = self._levels(w, self.size.side, fresh)
        return rgb

    def features(self, w: Tensor, side: int) -> list[Tensor]:
        """What each level up to that side leaves, with the layers' own noise."""
        return [x for x, _ in self._levels(w, side, fresh=False)]

    def _levels(self, w: Tensor, side: int, fresh: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Features and RGB of each level up to that side."""
        x: Tensor = self.constant.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        rgb: Tensor | None = None
        for number, level in enumerate(self.levels):
            if self.size.sides[number] > side:
                return
            taken = w[:, max(2 * number - 1, 0)], w[:, 2 * number], w[:, 2 * number + 1]
            x, rgb = level(x, rgb, taken, fresh)
            assert rgb is not None
            yield x, rgb


class Generator(nn.Module):
    """Mapping and synthesis."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        self.size = size
        self.mapping = Mapping(size)
        self.synthesis = Synthesis(size)

    def forward(self, z: Tensor) -> Tensor:
        """(n, latent) to (n, 3, side, side) with the layers' own noise."""
        pictures: Tensor = self.synthesis(self.spread(self.mapping(z)))
        return pictures

    def spread(self, w: Tensor) -> Tensor:
        """(n, latent) to (n, latents, latent): one latent for every place."""
        return w[:, None].expand(-1, self.size.latents, -1)


class Block(nn.Module):
    """Half the side: two convolutions beside a shortcut, their sum brought back to unit variance."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Conv(inputs, inputs, 3)
        self.second = Conv(inputs, outputs, 3, down=True)
        self.shortcut = Conv(inputs, outputs, 1, down=True, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = leaky(self.second(leaky(self.first(x))))
        total: Tensor = (y + self.shortcut(x)) / math.sqrt(2)
        return total


class Discriminator(nn.Module):
    """(n, 3, side, side) to (n,): above zero where a picture looks real."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        self.from_rgb = Conv(3, size.channels(size.side), 1)
        down = zip(size.sides[:0:-1], size.sides[-2::-1], strict=True)
        self.blocks = nn.ModuleList(Block(size.channels(high), size.channels(low)) for high, low in down)
        last = size.channels(4)
        self.last_conv = Conv(last + 1, last, 3)
        self.last_linear = Linear(last * 16, last)
        self.out = Linear(last, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.features(pictures)[-1]
        x = leaky(self.last_conv(torch.cat([x, deviation(x)], dim=1)))
        logits: Tensor = self.out(leaky(self.last_linear(x.flatten(1))))[:, 0]
        return logits

    def features(self, pictures: Tensor) -> list[Tensor]:
        """What each block leaves, the largest side first."""
        x = leaky(self.from_rgb(pictures.contiguous(memory_format=torch.channels_last)))
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found


def deviation(x: Tensor) -> Tensor:
    """(n, 1, h, w): how much pictures of a group differ, the same number everywhere (Karras et al. 2018, section 3).

    A batch that the group does not divide is one group.
    """
    n, channels, h, w = x.shape
    group = GROUP if n % GROUP == 0 else n
    grouped = x.reshape(group, -1, channels, h, w)
    spread = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return spread.repeat(group)[:, None, None, None].expand(n, 1, h, w)
