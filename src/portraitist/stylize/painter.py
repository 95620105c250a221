"""A trained painter, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import WeightsError
from portraitist.placement import Placement
from portraitist.stylize.painter_file import MULTIPLE, NETWORK, PainterFile
from portraitist.stylize.painting import Painting
from portraitist.types import Image


class OnnxPainter:
    """Paints one frame a call. Calls from several threads wait for one another.

    The session's threads wait actively within a call only: between calls they would take the cores from whatever reads
    the faces.
    """

    def __init__(self, file: PainterFile, placement: Placement) -> None:
        placement.require_cpu("painter")
        self.file = file
        self._session = _session(file, placement.threads)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._lock = threading.Lock()
        _require_contract(self, file)

    @property
    def side(self) -> int:
        """Pixels it was trained at."""
        return self.file.card.side

    @property
    def part(self) -> float:
        """Of the FFHQ frame that it was trained on."""
        return self.file.card.part

    def __call__(self, frame: Image) -> Painting:
        """Paint an (h, w, 3) frame, h and w multiples of 32."""
        found = self.run(np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32) / np.float32(255))
        # By OpenCV, which rounds and cuts in one go: 0.6 ms at 512 px, 2.4 by numpy.
        painted = cv2.merge([cv2.multiply(plane, 255.0, dtype=cv2.CV_8U) for plane in found["painted"][0]])
        mask = found.get("mask")
        shown = None if mask is None else np.clip(mask[0, 0], 0, 1)
        return Painting(np.asarray(painted, np.uint8), shown)

    def run(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """(1, 3, h, w) in [0, 1] -> the network's outputs by name."""
        with self._lock:
            values = self._session.run(self._outputs, {"image": inputs})
        return dict(zip(self._outputs, values, strict=True))


def _session(file: PainterFile, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file.network), options, providers=["CPUExecutionProvider"])
    except _runtime_errors() as error:
        raise _wrong(file, str(error).splitlines()[0]) from error


def _require_contract(painter: OnnxPainter, file: PainterFile) -> None:
    """Try the smallest frame: what comes out must be a frame."""
    trial = np.zeros((1, 3, 2 * MULTIPLE, MULTIPLE), np.float32)
    try:
        found = painter.run(trial)
    except _runtime_errors() as error:
        raise _wrong(file, str(error).splitlines()[0]) from error
    shapes = {name: value.shape for name, value in found.items()}
    if shapes.get("painted") != trial.shape or shapes.get("mask", (1, 1, *trial.shape[2:])) != (1, 1, *trial.shape[2:]):
        raise _wrong(file, f"outputs {shapes} for an input of {trial.shape}")


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a file or an input that it cannot use: its errors have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile)
    return (*own, state.NotImplemented, state.RuntimeException, ValueError)


def _wrong(file: PainterFile, found: str) -> WeightsError:
    return WeightsError(
        f"{file.folder / NETWORK}: expected input 'image' (1, 3, h, w) of any h, w that {MULTIPLE} divides and output "
        f"'painted' of that shape, found {found}; export the painter again"
    )
