"""Networks on the CPU: small TFLite models, and ncnn for the large ones."""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LiteNetwork:
    """A TFLite model with one input. Call it with an array of its input shape; get every output, in the file's order.

    Calls from several threads wait for one another: an interpreter holds one set of buffers.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self._lock = threading.Lock()

    def __call__(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Outputs as float32 copies."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], array.astype(np.float32, copy=False))
            self._interpreter.invoke()
            return [np.array(self._interpreter.get_tensor(out["index"])) for out in self._outputs]


def import_ncnn() -> Any:
    """The module `ncnn`, its threads told to sleep while they wait. Always import it this way.

    libgomp reads the setting once, when ncnn is first loaded, and by default its waiting threads spin: on two cores
    with other work on them a 16 px tile took 13 s instead of 0.1 s. ncnn's `openmp_blocktime` does not reach libgomp.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return importlib.import_module("ncnn")
