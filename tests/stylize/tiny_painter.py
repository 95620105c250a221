"""Painters of a few bytes: ONNX files written by hand, so that no test needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from portraitist.marks import onnx_file as onnx
from portraitist.stylize.painter_file import MadeFrom, PainterCard, PainterFile, write_painter

SWAPPED = np.eye(3, dtype=np.float32)[::-1].reshape(3, 3, 1, 1)
"""Weights of a 1 x 1 convolution that turns red into blue."""


def network(weights: np.ndarray = SWAPPED, *, with_mask: bool = False, output: str = "painted") -> bytes:
    """`painted` is a 1 x 1 convolution of `image`; `mask`, where asked for, is its red."""
    graph = onnx.OnnxGraph()
    kernel = graph.tensor("kernel", weights.astype(np.float32))
    graph.nodes.append(_node("Conv", ["image", kernel], output))
    values = [onnx._bytes(12, onnx._value(output, (1, 3, "h", "w")))]
    if with_mask:
        red = graph.tensor("red", np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1))
        graph.nodes.append(_node("Conv", ["image", red], "mask"))
        values.append(onnx._bytes(12, onnx._value("mask", (1, 1, "h", "w"))))
    parts = [onnx._bytes(1, node) for node in graph.nodes] + [onnx._text(2, "graph")]
    parts += [onnx._bytes(5, tensor) for tensor in graph.tensors]
    parts += [onnx._bytes(11, onnx._value("image", (1, 3, "h", "w"))), *values]
    return b"".join([onnx._number(1, 8), onnx._bytes(7, b"".join(parts)), onnx._bytes(8, onnx._number(2, 13))])


def _node(kind: str, inputs: list[str], output: str) -> bytes:
    parts = [onnx._text(1, name) for name in inputs] + [onnx._text(2, output), onnx._text(4, kind)]
    return b"".join(parts)


def card(**changes: object) -> PainterCard:
    made_from = (MadeFrom("drawn by a test", "CC0-1.0"),)
    given = {"name": "swap", "title": "Red for blue", "side": 128, "licence": "CC0-1.0", "made_from": made_from}
    return PainterCard(**{**given, **changes})  # type: ignore[arg-type]


def painter(folder: Path, data: bytes | None = None, **changes: object) -> PainterFile:
    """Written to `folder`."""
    return write_painter(folder, network() if data is None else data, card(**changes), "# swap\n")
