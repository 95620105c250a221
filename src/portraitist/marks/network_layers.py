"""The network that finds marks: a small convolutional trunk with a way back up to a quarter of the picture's side.

Nothing in it depends on the batch or on the picture's size, so it is trained on crops and run on whole faces. There are
no normalisation layers, whose running means the training loop would neither average nor save: a residual branch begins
at a small scale instead (Bachlechner et al. 2021, ReZero, begins at 0), and export folds that scale into a kernel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.marks.network_config import MarkNetworkSize
from portraitist.marks.network_input import INPUTS
from portraitist.marks.network_targets import CHANNELS, HEAT

PRIOR = 0.01
"""What the heat maps say everywhere before training (Lin et al. 2017, focal loss, section 4.1)."""


class Convolution(nn.Conv2d):
    """3 x 3 (or 1 x 1), padded to keep the size, He's initialisation for the ReLU after it."""

    def __init__(self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride, size // 2)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        assert self.bias is not None
        nn.init.zeros_(self.bias)


class Residual(nn.Module):
    """x + scale * conv(relu(conv(x))), then a ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Convolution(width, width)
        self.second = Convolution(width, width)
        self.scale = nn.Parameter(torch.full((1,), 0.2))

    def forward(self, features: Tensor) -> Tensor:
        branch = self.second(functional.relu(self.first(features)))
        return functional.relu(features + self.scale * branch)


class Level(nn.Module):
    """Half the side, then residual blocks."""

    def __init__(self, inputs: int, width: int, blocks: int) -> None:
        super().__init__()
        self.down = Convolution(inputs, width, stride=2)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(blocks))

    def forward(self, features: Tensor) -> Tensor:
        features = functional.relu(self.down(features))
        for block in self.blocks:
            features = block(features)
        return features


class Join(nn.Module):
    """A level of the way back: the coarser features at twice their side, added to the finer ones, and mixed."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.across = Convolution(coarse, fine, size=1)
        self.mix = Convolution(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        raised = functional.interpolate(self.across(coarse), scale_factor=2.0, mode="nearest")
        return functional.relu(self.mix(functional.relu(fine + raised)))


class MarkNetwork(nn.Module):
    """(n, 4, h, w) input of `network_input.prepared`, sides a multiple of 16 -> (n, CHANNELS, h / 4, w / 4) raw maps.

    What each channel means stands in `network_targets`.
    """

    def __init__(self, size: MarkNetworkSize) -> None:
        super().__init__()
        stem, *widths = size.widths
        self.size = size
        self.stem = Convolution(INPUTS, stem, stride=2)
        pairs = zip([stem, *widths], widths, strict=False)
        self.levels = nn.ModuleList([Level(before, width, size.blocks) for before, width in pairs])
        ways = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.joins = nn.ModuleList(Join(coarse, fine) for coarse, fine in ways)
        self.hidden = Convolution(widths[0], size.head)
        self.head = Convolution(size.head, CHANNELS, size=1)
        self._begin_quiet()

    def forward(self, inputs: Tensor) -> Tensor:
        features = functional.relu(self.stem(inputs))
        fines = []
        for level in self.levels:
            features = level(features)
            fines.append(features)
        for join, fine in zip(self.joins, fines[-2::-1], strict=True):
            features = join(features, fine)
        maps: Tensor = self.head(functional.relu(self.hidden(features)))
        return maps

    def _begin_quiet(self) -> None:
        """Small maps at first, and heat maps at their prior: the first steps are not spent on taking noise back."""
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias[list(HEAT)] = -math.log((1 - PRIOR) / PRIOR)
