"""Small TFLite networks on the CPU."""

from __future__ import annotations

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

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape the model wants, batch first."""
        return tuple(int(n) for n in self._input["shape"])

    def __call__(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Outputs as float32 copies."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], array.astype(np.float32, copy=False))
            self._interpreter.invoke()
            return [np.array(self._interpreter.get_tensor(out["index"])) for out in self._outputs]
