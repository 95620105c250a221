"""ONNX files, written by hand: enough of the format for a convolutional network, and no package for it.

torch's exporters need the packages `onnx` or `onnxscript`, which nothing else here does. Field numbers are those of
`onnx.proto` (ONNX IR version 8, operator set 13).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IR_VERSION, OPSET = 8, 13
_FLOAT32, _FLOAT16, _INT, _INTS, _STRING = 1, 10, 2, 7, 3
Attribute = int | str | Sequence[int]
Shape = Sequence[int | str]
"""A side is a number of elements, or a name where it may be any."""


@dataclass
class OnnxGraph:
    """A graph in the making. Values are named; `node` returns the name of what the node gives."""

    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)

    def tensor(self, name: str, values: NDArray[np.float32]) -> str:
        """A constant."""
        return self._constant(name, _FLOAT32, np.asarray(values, "<f4"))

    def half(self, name: str, values: NDArray[np.float32]) -> str:
        """A constant that takes half the room in the file; float32 for the nodes that read it."""
        return self.node("Cast", [self._constant(name, _FLOAT16, np.asarray(values, "<f2"))], to=_FLOAT32)

    def _constant(self, name: str, kind: int, values: NDArray[np.generic]) -> str:
        parts = [_number(1, side) for side in values.shape]
        self.tensors.append(b"".join([*parts, _number(2, kind), _text(8, name), _bytes(9, values.tobytes())]))
        return name

    def node(self, kind: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """An operator with one output. An empty input is one left out."""
        return self.named_node(f"{kind.lower()}_{len(self.nodes)}", kind, inputs, **attributes)

    def named_node(self, output: str, kind: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """The same, for a value that a user of the file asks for by name."""
        parts = [_text(1, name) for name in inputs]
        parts += [_text(2, output), _text(3, output), _text(4, kind)]
        parts += [_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return output

    def file(
        self,
        inputs: tuple[str, Shape],
        outputs: Sequence[tuple[str, Shape]],
        facts: Mapping[str, str],
    ) -> bytes:
        """The whole file. facts: kept with the model."""
        parts = [_bytes(1, node) for node in self.nodes] + [_text(2, "graph")]
        parts += [_bytes(5, tensor) for tensor in self.tensors]
        parts.append(_bytes(11, _value(*inputs)))
        graph = b"".join([*parts, *(_bytes(12, _value(*output)) for output in outputs)])
        model = [_number(1, IR_VERSION), _text(2, "portraitist"), _bytes(7, graph), _bytes(8, _number(2, OPSET))]
        return b"".join([*model, *(_bytes(14, _text(1, key) + _text(2, value)) for key, value in facts.items())])


def _value(name: str, shape: Shape) -> bytes:
    """ValueInfoProto of a float32 tensor."""
    sides = [_bytes(1, _number(1, side) if isinstance(side, int) else _text(2, side)) for side in shape]
    tensor = _number(1, _FLOAT32) + _bytes(2, b"".join(sides))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
    return _text(1, name) + b"".join(_number(8, each) for each in value) + _number(20, _INTS)


def _number(number: int, value: int) -> bytes:
    """A field that holds a whole number of 0 or more."""
    return _varint(number << 3) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
