"""The critic of patches: says of each 34 px window whether it looks like a real painting."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
WIDTHS = (24, 48, 64)


class PatchCritic(nn.Module):
    """(n, 3, h, w) in [0, 1] -> (n, 1, about h / 4, w / 4), near 1 where it looks real.

    Features are normalised a picture at a time, without learned or running numbers. Source: Isola et al., "pix2pix",
    CVPR 2017, section 3.2.2, smaller.
    """

    def __init__(self) -> None:
        super().__init__()
        strides = (2, 2, 1)
        pairs = zip((3, *WIDTHS), WIDTHS, strides, strict=False)
        self.layers = nn.ModuleList(nn.Conv2d(before, after, 4, stride, 1) for before, after, stride in pairs)
        self.verdict = nn.Conv2d(WIDTHS[-1], 1, 4, 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        features = 2 * pictures - 1
        for number, layer in enumerate(self.layers):
            features = layer(features)
            if number:
                features = functional.instance_norm(features)
            features = functional.leaky_relu(features, SLOPE)
        verdicts: Tensor = self.verdict(features)
        return verdicts
