"""Convolutional layers as nodes of an ONNX graph: what the networks made here have in common.

A layer is any module with the parts that are named; every method takes and gives names of values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from portraitist.onnx_file import OnnxGraph


class ResidualLayer(Protocol):
    """relu(x + second(relu(first(x))))."""

    @property
    def first(self) -> nn.Conv2d: ...
    @property
    def second(self) -> nn.Conv2d: ...


class LevelLayer(Protocol):
    """relu(down(x)), then residual blocks."""

    @property
    def down(self) -> nn.Conv2d: ...
    @property
    def blocks(self) -> Iterable[nn.Module]: ...


class JoinLayer(Protocol):
    """relu(mix(relu(fine + across(coarse) at twice its side)))."""

    @property
    def across(self) -> nn.Conv2d: ...
    @property
    def mix(self) -> nn.Conv2d: ...


@dataclass(frozen=True)
class LayerWriter:
    """Writes layers into `graph`. is_half: kernels take half the room in the file; float32 is computed with."""

    graph: OnnxGraph
    is_half: bool = True

    def convolution(self, layer: nn.Conv2d, features: str, scale: float = 1.0) -> str:
        """scale: what comes out is multiplied by it, folded into the kernel. The layer has a bias."""
        number, bias = len(self.graph.tensors), layer.bias
        assert bias is not None
        store = self.graph.half if self.is_half else self.graph.tensor
        weight = store(f"weight_{number}", values_of(layer.weight) * np.float32(scale))
        added = self.graph.tensor(f"bias_{number}", values_of(bias) * np.float32(scale))
        across, stride, pad = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
        sides = {"kernel_shape": [across] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        return self.graph.node("Conv", [features, weight, added], **sides)

    def activated(self, layer: nn.Conv2d, features: str) -> str:
        """relu(layer(x))."""
        return self.graph.node("Relu", [self.convolution(layer, features)])

    def residual(self, block: ResidualLayer, features: str) -> str:
        """A block whose branch may have a learned `scale`."""
        scale = getattr(block, "scale", None)
        folded = 1.0 if scale is None else float(scale.detach())
        branch = self.convolution(block.second, self.activated(block.first, features), folded)
        return self.graph.node("Relu", [self.graph.node("Add", [features, branch])])

    def level(self, level: LevelLayer, features: str) -> str:
        """A level and its blocks."""
        features = self.activated(level.down, features)
        for block in level.blocks:
            features = self.residual(cast(ResidualLayer, block), features)
        return features

    def join(self, join: JoinLayer, coarse: str, fine: str) -> str:
        """Coarse features at twice their side, added to the fine ones and mixed."""
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        raised = self.raised(self.convolution(join.across, coarse), 2, how)
        return self.activated(join.mix, self.graph.node("Relu", [self.graph.node("Add", [fine, raised])]))

    def raised(self, features: str, factor: int, how: Mapping[str, str]) -> str:
        """Sides times `factor`. how: attributes of ONNX's Resize."""
        name, scales = f"scales_{len(self.graph.tensors)}", np.array([1, 1, factor, factor], np.float32)
        return self.graph.node("Resize", [features, "", self.graph.tensor(name, scales)], **how)


def values_of(tensor: Tensor) -> NDArray[np.float32]:
    """Of a parameter, on the CPU."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)
