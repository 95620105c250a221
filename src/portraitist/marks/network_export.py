"""The trained network as an ONNX file, and as safetensors that training can go on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from portraitist.errors import InputError
from portraitist.library import write_atomic
from portraitist.marks.network_config import MarkNetworkSize
from portraitist.marks.network_input import INPUTS
from portraitist.marks.network_layers import MarkNetwork
from portraitist.marks.network_targets import CHANNELS
from portraitist.onnx_file import OnnxGraph
from portraitist.training.onnx_layers import JoinLayer, LayerWriter, LevelLayer

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
    writer = LayerWriter(OnnxGraph())
    features = writer.activated(network.stem, PICTURE)
    fines = []
    for level in network.levels:
        features = writer.level(cast(LevelLayer, level), features)
        fines.append(features)
    for join, fine in zip(network.joins, fines[-2::-1], strict=True):
        features = writer.join(cast(JoinLayer, join), features, fine)
    maps = writer.convolution(network.head, writer.activated(network.hidden, features))
    return writer.graph.file(
        (PICTURE, (1, INPUTS, "height", "width")), [(maps, (1, CHANNELS, "rows", "columns"))], facts
    )
