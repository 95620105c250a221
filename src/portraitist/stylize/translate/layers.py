"""Layers of U-GAT-IT. Source: Kim, Kim, Kang and Lee, "U-GAT-IT", ICLR 2020 (arXiv:1907.10830)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5
SLOPE = 0.2
_POWER_STEPS = 3


class Convolution(nn.Conv2d):
    """Padded by reflection: a border of zeros would be seen in the picture."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride, (size - 1) // 2, padding_mode="reflect")
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        assert self.bias is not None
        nn.init.zeros_(self.bias)


class AdaLIN(nn.Module):
    """rho * instance-normalised + (1 - rho) * layer-normalised, then scaled and moved (equation 1).

    rho is learned a channel and kept in [0, 1]; scale and move are given (AdaLIN) or learned (LIN).
    """

    def __init__(self, width: int, rho: float, *, learns_scale: bool) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, width, 1, 1), rho))
        self.scale = nn.Parameter(torch.ones(1, width, 1, 1)) if learns_scale else None
        self.move = nn.Parameter(torch.zeros(1, width, 1, 1)) if learns_scale else None

    def forward(self, features: Tensor, scale: Tensor | None = None, move: Tensor | None = None) -> Tensor:
        """Both norms, their mix and the steering come to one factor and one summand a channel."""
        scale, move = (self.scale, self.move) if scale is None else (scale, move)
        assert scale is not None
        assert move is not None
        rho = self.rho.clamp(0, 1)
        variance, mean = torch.var_mean(features, (2, 3), unbiased=False, keepdim=True)
        whole = mean.mean(dim=1, keepdim=True)
        whole_variance = (variance + mean.square()).mean(dim=1, keepdim=True) - whole.square()
        instance = rho * torch.rsqrt(variance + EPSILON)
        layer = (1 - rho) * torch.rsqrt(whole_variance + EPSILON)
        factor = scale * (instance + layer)
        return features * factor + (move - scale * (instance * mean + layer * whole))


class Residual(nn.Module):
    """x + conv(relu(conv(x))), each instance-normalised."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)

    def forward(self, features: Tensor) -> Tensor:
        branch = functional.relu(functional.instance_norm(self.first(features)))
        return features + functional.instance_norm(self.second(branch))


class SteeredResidual(nn.Module):
    """The same with AdaLIN, whose scale and move the attention gives."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)
        self.norms = nn.ModuleList(AdaLIN(width, 0.9, learns_scale=False) for _ in range(2))

    def forward(self, features: Tensor, scale: Tensor, move: Tensor) -> Tensor:
        branch = functional.relu(self.norms[0](self.first(features), scale, move))
        steered: Tensor = self.norms[1](self.second(branch), scale, move)
        return features + steered


class Attention(nn.Module):
    """Class activation maps: a classifier on pooled features, whose weights say which channels tell the domains apart.

    forward: (n, c, h, w) -> the attended features, the same, and logits (n, 2) by mean and by largest (section 2.1.1).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.by_mean, self.by_most = (nn.Linear(width, 1, bias=False) for _ in range(2))
        self.join = nn.Conv2d(2 * width, width, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        mean, most = features.mean(dim=(2, 3)), features.amax(dim=(2, 3))
        logits = torch.cat([self.by_mean(mean), self.by_most(most)], dim=1)
        weighted = [features * layer.weight[:, :, None, None] for layer in (self.by_mean, self.by_most)]
        return functional.leaky_relu(self.join(torch.cat(weighted, dim=1)), SLOPE), logits


def spectral(weight: Tensor) -> Tensor:
    """The weight over its largest singular value, found by a few power iterations from a fixed start.

    Source: Miyato et al., "Spectral normalization", ICLR 2018; the fixed start keeps a resumed run the same to the bit.
    """
    rows = weight.flatten(1)
    with torch.no_grad():
        left = torch.ones(len(rows), dtype=weight.dtype, device=weight.device)
        for _ in range(_POWER_STEPS):
            right = functional.normalize(rows.T @ left, dim=0)
            left = functional.normalize(rows @ right, dim=0)
    return weight / (left @ rows @ right).clamp_min(1e-12)


class SpectralConvolution(nn.Conv2d):
    """A convolution by `spectral(weight)`: a critic whose slope is bounded."""

    def forward(self, input: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        return functional.conv2d(input, spectral(self.weight), self.bias, self.stride, self.padding)
