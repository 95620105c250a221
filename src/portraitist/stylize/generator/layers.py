"""The layers of StyleGAN2: equalised weights, modulation and demodulation, resampling without aliases.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; equalised learning rate: Karras et
al. 2018, "Progressive Growing of GANs", section 4.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
GAIN = math.sqrt(2)
"""Of the leaky ReLU: what keeps the variance where it was."""


def leaky(x: Tensor) -> Tensor:
    """The activation of both networks, variance kept."""
    return functional.leaky_relu(x, SLOPE) * GAIN


class Linear(nn.Module):
    """(n, inputs) to (n, outputs). Stored weights have variance 1 / rate^2; the layer scales them as it runs, so all
    layers learn at one speed, this one at `rate` times it."""

    def __init__(self, inputs: int, outputs: int, *, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class Conv(nn.Module):
    """(n, inputs, h, w) to (n, outputs, h, w), or half of both sides where `down`: low-passed first."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, down: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain, self.down, self.kernel = 1 / math.sqrt(inputs * kernel * kernel), down, kernel

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.gain
        if not self.down:
            return functional.conv2d(x, weight, self.bias, padding=self.kernel // 2)
        # Low-passed with one pixel more on each side where the kernel eats it.
        if self.kernel == 1:
            return functional.conv2d(low_pass(x, 1, stride=2), weight, self.bias)
        return functional.conv2d(low_pass(x, 2), weight, self.bias, stride=2)


class ModulatedConv(nn.Module):
    """A convolution whose input channels are scaled by the latent, output channels brought back to unit variance.

    Equations 1 to 3 of the paper scale the weights for every picture. Scaling the picture's input by the style and its
    output by the demodulation is the same sum in another order, and needs one convolution for the whole batch.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, latent: int, *, up: bool = False, demodulates: bool = True
    ) -> None:
        super().__init__()
        self.affine = Linear(latent, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.gain, self.up, self.demodulates = 1 / math.sqrt(inputs * kernel * kernel), up, demodulates

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x: (n, inputs, h, w). w: (n, latent)."""
        style = self.affine(w)
        weight = self.weight * self.gain
        x = x * style[:, :, None, None]
        if self.up:
            x = low_pass(functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1, gain=4)
        else:
            x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if not self.demodulates:
            return x
        # Equation 3: one over the L2 norm of the scaled weights, an output channel at a time.
        norm = style.square() @ weight.square().sum(dim=(2, 3)).t()
        return x * torch.rsqrt(norm + 1e-8)[:, :, None, None]


def low_pass(x: Tensor, padding: int, *, stride: int = 1, gain: float = 1.0) -> Tensor:
    """Every channel filtered with [1, 3, 3, 1] / 8 along both axes; zeros beyond the border."""
    channels = x.shape[1]
    kernel = _kernel(x, gain).expand(channels, 1, 4, 4)
    return functional.conv2d(x, kernel, padding=padding, stride=stride, groups=channels)


def doubled(x: Tensor) -> Tensor:
    """Both sides doubled: zeros between the pixels, low-passed."""
    channels = x.shape[1]
    kernel = _kernel(x, 4.0).expand(channels, 1, 4, 4)
    return functional.conv_transpose2d(x, kernel, padding=1, stride=2, groups=channels)


def _kernel(like: Tensor, gain: float) -> Tensor:
    line = like.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return torch.outer(line, line) * gain
