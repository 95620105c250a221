"""The trained network as an ONNX file, and as safetensors that training can go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from portraitist.errors import InputError
from portraitist.library import write_atomic
from portraitist.marks.network_config import MarkNetworkSize
from portraitist.marks.network_input import INPUTS
from portraitist.marks.network_layers import Convolution, Join, Level, MarkNetwork, Residual
from portraitist.marks.network_targets import CHANNELS
from portraitist.onnx_file import OnnxGraph

PICTURE, MAPS = "picture", "maps"
"""Names of the graph's input and output."""


def write_network(path: Path, network: MarkNetwork, facts: Mapping[str, str]) -> Path:
    """The ONNX file, and beside it `*.safetensors` in half precision, from which training can go on.

    facts: texts that both carry: what was learned from, and how well.
    """
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    data: bytes = save(tensors, metadata=dict(facts))
    write_atomic(path.with_suffix(".safetensors"), data)
    return write_atomic(path, to_onnx(network, facts))


def read_weights(path: Path, size: MarkNetworkSize) -> dict[str, Tensor]:
    """Weights to begin from, float32. Raises InputError when the file holds no network of this size."""
    try:
        tensors = {name: value.float() for name, value in load(path.read_bytes()).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: expected weights of a detector (.safetensors), cannot read it ({error})") from error
    wanted = {name: value.shape for name, value in MarkNetwork(size).state_dict().items()}
    if {name: value.shape for name, value in tensors.items()} != wanted:
        raise InputError(f"{path}: expected weights of a detector of {size}, found others; leave --start out")
    return tensors


def to_onnx(network: MarkNetwork, facts: Mapping[str, str]) -> bytes:
    """The file: one picture of any height and width; weights in half precision, computed with in float32; residual
    scales folded into their kernels."""
    writer = _Writer(OnnxGraph())
    features = writer.activated(network.stem, PICTURE)
    fines = []
    for level in network.levels:
        features = writer.level(cast(Level, level), features)
        fines.append(features)
    for join, fine in zip(network.joins, fines[-2::-1], strict=True):
        features = writer.join(cast(Join, join), features, fine)
    maps = writer.convolution(network.head, writer.activated(network.hidden, features))
    return writer.graph.file(
        (PICTURE, (1, INPUTS, "height", "width")), [(maps, (1, CHANNELS, "rows", "columns"))], facts
    )


@dataclass(frozen=True)
class _Writer:
    """The layers of `network_layers`, each as nodes of a graph; every method takes and gives names of values."""

    graph: OnnxGraph

    def convolution(self, layer: Convolution, features: str, scale: float = 1.0) -> str:
        number, bias = len(self.graph.tensors), layer.bias
        assert bias is not None
        weight = self.graph.half(f"weight_{number}", _values(layer.weight) * scale)
        added = self.graph.half(f"bias_{number}", _values(bias) * scale)
        across, stride = layer.kernel_size[0], layer.stride[0]
        sides = {"kernel_shape": [across] * 2, "strides": [stride] * 2, "pads": [across // 2] * 4}
        return self.graph.node("Conv", [features, weight, added], **sides)

    def activated(self, layer: Convolution, features: str) -> str:
        return self.graph.node("Relu", [self.convolution(layer, features)])

    def level(self, level: Level, features: str) -> str:
        features = self.activated(level.down, features)
        for block in level.blocks:
            features = self.residual(cast(Residual, block), features)
        return features

    def residual(self, block: Residual, features: str) -> str:
        branch = self.convolution(block.second, self.activated(block.first, features), float(block.scale.detach()))
        return self.graph.node("Relu", [self.graph.node("Add", [features, branch])])

    def join(self, join: Join, coarse: str, fine: str) -> str:
        scales = self.graph.tensor(f"scales_{len(self.graph.tensors)}", np.array([1, 1, 2, 2], np.float32))
        across = self.convolution(join.across, coarse)
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        raised = self.graph.node("Resize", [across, "", scales], **how)
        return self.activated(join.mix, self.graph.node("Relu", [self.graph.node("Add", [fine, raised])]))


def _values(tensor: Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)
