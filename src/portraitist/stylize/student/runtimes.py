"""A converted student run by its runtime and held against torch: how alike pictures are, how long one takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portraitist.networks import LiteNetwork, import_ncnn
from portraitist.stylize.student.export import IMAGE, PAINTED

Picture = NDArray[np.float32]
Runtime = Callable[[Picture], Picture]
"""(1, 3, h, w) in [0, 1] -> painted, the same."""


def run_onnx(path: Path, threads: int) -> Runtime:
    """By ONNX Runtime, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    return lambda image: np.asarray(session.run([PAINTED], {IMAGE: image})[0], np.float32)


def run_ncnn(path: Path, threads: int) -> Runtime:
    """path: of the `.param`, its `.bin` beside it."""
    ncnn = import_ncnn()
    network: Any = ncnn.Net()
    network.opt.num_threads = threads
    network.load_param(str(path))
    network.load_model(str(path.with_suffix(".bin")))

    def painted(image: Picture) -> Picture:
        extractor = network.create_extractor()
        extractor.input("in0", ncnn.Mat(image[0]))
        return np.array(extractor.extract("out0")[1], np.float32)[None]

    return painted


def run_mnn(path: Path, threads: int) -> Runtime:
    """By MNN's expressions."""
    from MNN import expr, nn

    manager: Any = nn.create_runtime_manager(({"backend": 0, "numThread": threads},))
    network: Any = nn.load_module_from_file(str(path), [IMAGE], [PAINTED], runtime_manager=manager)

    def painted(image: Picture) -> Picture:
        variable: Any = expr.placeholder(list(image.shape), expr.NCHW)
        variable.write(image)
        made = expr.convert(network.forward([variable])[0], expr.NCHW)
        return np.array(made.read(), np.float32).reshape(image.shape)

    return painted


def run_tflite(path: Path, threads: int) -> Runtime:
    """By LiteRT. Of two outputs the painting is the one with three channels."""
    network = LiteNetwork(path, threads)
    return lambda image: next(made for made in network(image) if made.shape[1] == 3)


RUNTIMES: dict[str, Callable[[Path, int], Runtime]] = {
    ".onnx": run_onnx,
    ".param": run_ncnn,
    ".mnn": run_mnn,
    ".tflite": run_tflite,
}
"""By the file's ending."""


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal-to-noise ratio in decibels of values in [0, 1]; infinite for equal ones.

    >>> round(psnr(np.zeros(4, np.float32), np.full(4, 0.1, np.float32)))
    20
    """
    error = float(np.mean(np.square(one.astype(np.float64) - other)))
    return math.inf if error == 0 else -10 * math.log10(error)


def median_seconds(call: Callable[[], object], repeats: int = 20) -> float:
    """Seconds of one call, the median of so many after three that are not counted."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))
