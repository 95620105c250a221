"""A student as ONNX files: single precision, weights stored in half precision, and 8-bit integers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import EngineError, InputError
from portraitist.onnx_file import OnnxGraph
from portraitist.stylize.student.network import FOLD, Convolution, StudentNetwork
from portraitist.training.onnx_layers import LayerWriter
from portraitist.types import Image

IMAGE, PAINTED, MASK = "image", "painted", "mask"
"""Names of the graph's input and outputs: those of every painter file."""
LEAST_PICTURES = 8
"""For the ranges of 8-bit numbers."""


def to_onnx(network: StudentNetwork, facts: Mapping[str, str], *, is_half: bool = False) -> bytes:
    """The file, for one picture of any sides that are multiples of 32. facts: texts kept in it."""
    writer = _PaintWriter(OnnxGraph(), is_half)
    fine = writer.level(network.fine, IMAGE)
    middle = writer.level(network.middle, fine)
    features = writer.join(network.to_middle, writer.level(network.coarse, middle), middle)
    features = writer.join(network.to_fine, features, fine)
    outputs = [(writer.painted(network.paint, network.detail, features), (1, 3, "height", "width"))]
    if network.mask is not None:
        outputs.append((writer.mask(network.mask, features), (1, 1, "height", "width")))
    return writer.graph.file((IMAGE, (1, 3, "height", "width")), outputs, facts)


def to_int8(single: bytes, pictures: Sequence[Image]) -> bytes:
    """The single-precision file in 8 bits: weights a channel at a time, activations by their ranges on `pictures`.

    The convolutions that give the outputs stay in single precision: of a painter of 48 decibels, steps of 1/255 there
    left 33, and they are the cheapest layers.

    pictures: (h, w, 3) photos of faces as the painter will see them, sides multiples of 32. Raises EngineError without
    the package `onnx`, which the quantiser of ONNX Runtime wants; InputError for too few pictures.
    """
    if len(pictures) < LEAST_PICTURES:
        raise InputError(f"int8: expected {LEAST_PICTURES} pictures or more to see ranges on, found {len(pictures)}")
    try:
        import onnx
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    except ImportError as error:
        raise EngineError(f"int8: lacks a package ({error}); pip install 'portraitist[stylize]'") from error
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "single.onnx", Path(folder) / "int8.onnx"
        before.write_bytes(single)
        how = {"quant_format": QuantFormat.QDQ, "per_channel": True, **types}
        how["nodes_to_exclude"] = _ending(onnx.load_from_string(single).graph)
        quantize_static(str(before), str(after), _Ranges(iter(pictures)), **how)
        return after.read_bytes()


def as_input(picture: Image) -> NDArray[np.float32]:
    """(h, w, 3) uint8 -> (1, 3, h, w) in [0, 1]."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _ending(graph: Any) -> list[str]:
    """Names of the nodes from the outputs back to the convolutions before them, and those."""
    made_by = {output: node for node in graph.node for output in node.output}
    waiting, found = [output.name for output in graph.output], []
    while waiting:
        node = made_by.get(waiting.pop())
        if node is not None and node.name not in found:
            found.append(node.name)
            waiting += [] if node.op_type == "Conv" else node.input
    return found


@dataclass
class _Ranges:
    """What the quantiser asks for pictures (onnxruntime's CalibrationDataReader)."""

    pictures: Iterator[Image]

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        picture = next(self.pictures, None)
        return None if picture is None else {IMAGE: as_input(picture)}


class _PaintWriter(LayerWriter):
    """The layers of `network`, and how it ends."""

    def painted(self, layer: Convolution, detail: Convolution, features: str) -> str:
        unfolded = self.graph.node("DepthToSpace", [self.convolution(layer, features)], blocksize=FOLD, mode="CRD")
        summed = self.graph.node("Add", [unfolded, self.convolution(detail, IMAGE)])
        ends = [self.graph.tensor(name, np.array(end, np.float32)) for name, end in (("0", 0), ("1", 1))]
        return self.graph.named_node(PAINTED, "Clip", [summed, *ends])

    def mask(self, layer: Convolution, features: str) -> str:
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        raised = self.raised(self.convolution(layer, features), FOLD, how)
        return self.graph.named_node(MASK, "Sigmoid", [raised])
