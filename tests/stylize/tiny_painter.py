"""Painters of a few bytes: ONNX files written by hand, so that no test needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from portraitist.onnx_file import OnnxGraph
from portraitist.stylize.painter_file import MadeFrom, PainterCard, PainterFile, write_painter

SWAPPED = np.eye(3, dtype=np.float32)[::-1].reshape(3, 3, 1, 1)
"""Weights of a 1 x 1 convolution that turns red into blue."""


def network(weights: np.ndarray = SWAPPED, *, with_mask: bool = False, output: str = "painted") -> bytes:
    """`painted` is a 1 x 1 convolution of `image`; `mask`, where asked for, is its red."""
    graph = OnnxGraph()
    graph.named_node(output, "Conv", ["image", graph.tensor("kernel", weights.astype(np.float32))])
    outputs: list[tuple[str, tuple[int | str, ...]]] = [(output, (1, 3, "h", "w"))]
    if with_mask:
        red = graph.tensor("red", np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1))
        graph.named_node("mask", "Conv", ["image", red])
        outputs.append(("mask", (1, 1, "h", "w")))
    return graph.file(("image", (1, 3, "h", "w")), outputs, {})


def card(**changes: object) -> PainterCard:
    made_from = (MadeFrom("drawn by a test", "CC0-1.0"),)
    given = {"name": "swap", "title": "Red for blue", "side": 128, "licence": "CC0-1.0", "made_from": made_from}
    return PainterCard(**{**given, **changes})  # type: ignore[arg-type]


def painter(folder: Path, data: bytes | None = None, **changes: object) -> PainterFile:
    """Written to `folder`."""
    return write_painter(folder, network() if data is None else data, card(**changes), "# swap\n")
