"""What a network costs: multiply-adds of one picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from portraitist.stylize.student.config import COST_SIDE


def count_multiply_adds(network: nn.Module, side: int = COST_SIDE) -> int:
    """Multiply-adds of the convolutions and linear layers for one picture (3, side, side).

    A convolution's: elements of its output times the weights that make one of them. Additions, activations and changes
    of size are left out, as in every published count.
    """
    counts: list[int] = []

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        counts.append(output.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)
