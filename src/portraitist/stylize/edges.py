"""Edge promotion: paintings with softened edges are shown to a critic as fakes, so that soft edges are no way out.

Source: Chen, Lai and Liu, "CartoonGAN", CVPR 2018, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

THRESHOLD = 0.4
"""Norm of the Sobel gradient, of grey values in [0, 1], from which on there is an edge."""
REACH = 5
"""Pixels across which an edge is softened."""
_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)


def gradient(pictures: Tensor) -> Tensor:
    """(n, 3, h, w) in [0, 1] -> (n, 1, h, w): norm of the Sobel gradient of the mean of the channels."""
    across = torch.tensor(_SOBEL, dtype=pictures.dtype, device=pictures.device)
    kernels = torch.stack([across, across.T])[:, None]
    grey = functional.pad(pictures.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(grey, kernels).square().sum(dim=1, keepdim=True).add(1e-12).sqrt()


def soften_edges(pictures: Tensor) -> Tensor:
    """(n, 3, h, w) in [0, 1]: blurred where there is an edge or one is near, untouched elsewhere."""
    edges = (gradient(pictures) > THRESHOLD).to(pictures.dtype)
    near = functional.max_pool2d(edges, REACH, stride=1, padding=REACH // 2)
    return torch.lerp(pictures, _blurred(pictures), near)


def _blurred(pictures: Tensor) -> Tensor:
    """A binomial of five taps each way."""
    taps = torch.tensor(_BINOMIAL, dtype=pictures.dtype, device=pictures.device)
    kernel = (taps[:, None] * taps / taps.sum().square()).expand(3, 1, -1, -1)
    padded = functional.pad(pictures, (2, 2, 2, 2), mode="replicate")
    # Autocast may have convolved in half precision.
    return functional.conv2d(padded, kernel, groups=3).to(pictures.dtype)
