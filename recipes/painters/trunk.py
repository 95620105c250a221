"""Features for the perceptual loss: EfficientNet-Lite0's blocks, from 1/2 down to 1/8 of the picture's side."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from portraitist.stylize.student.losses import Features
from recipes.features import EfficientNetLite0

TAKEN = (0, 2, 4)
"""Blocks whose outputs are compared: the last of 1/2, of 1/4 and of 1/8 of the side."""


def perceptual_features(device: str = "cpu") -> Features:
    """Of pictures in [0, 1]. Raises WeightsError when the network cannot be had."""
    trunk = EfficientNetLite0.load().to(device)

    def features(pictures: Tensor) -> list[Tensor]:
        x = functional.relu6(trunk._bn0(trunk._conv_stem((255 * pictures - 127) / 128)))
        taken = []
        for number, block in enumerate(trunk._blocks[: max(TAKEN) + 1]):
            x = block(x)
            if number in TAKEN:
                taken.append(x)
        return taken

    return features
