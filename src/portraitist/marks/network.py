"""Engine `network` of the task `marks`: the trained heat-map detector."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.marks.found import FoundMark
from portraitist.marks.network_config import MULTIPLE, MarkNetworkConfig
from portraitist.marks.network_decoding import activated, decode
from portraitist.marks.network_input import INPUTS, padded, prepared
from portraitist.marks.network_targets import CHANNELS, STRIDE
from portraitist.marks.view import SkinView
from portraitist.placement import Placement
from portraitist.progress import Report, silent

SHIPPED = "marks-detector"
SHIPPED_START = "marks-detector-start"
"""Rows of the weights table: the file that is run, and the weights that a training of one's own begins from."""
_TEACH = "train one with 'portraitist marks train', or use the engine 'classical', which needs no weights"


class NetworkDetector:
    """The network run by OpenCV, which is here anyway. Calls from several threads wait for one another."""

    def __init__(self, path: Path, config: MarkNetworkConfig) -> None:
        self.config = config
        self._net = _open(path)
        self._lock = threading.Lock()

    def __call__(self, view: SkinView, *, seed: int = 0) -> Iterator[FoundMark]:
        """The marks of a view, surest first."""
        yield from decode(self.maps(view), view.skin, self.config)

    def maps(self, view: SkinView) -> NDArray[np.float32]:
        """(CHANNELS, rows, columns), heat in [0, 1]: what `decode` reads."""
        inputs = padded(prepared(view.pixels, view.skin), MULTIPLE)
        with self._lock:
            self._net.setInput(inputs[None])
            raw = np.array(self._net.forward()[0])
        return activated(raw)


def build(config: MarkNetworkConfig, placement: Placement, *, report: Report = silent) -> NetworkDetector:
    """Load the shipped network, or the one that `network_file` names.

    Raises WeightsError when there is none, or the file is no such network; PlacementError off the CPU.
    """
    placement.require_cpu("network")
    if config.network_file:
        return NetworkDetector(Path(config.network_file).expanduser(), config)
    return NetworkDetector(weights.fetch(SHIPPED, report), config)


def _open(path: Path) -> cv2.dnn.Net:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: expected a trained network (.onnx), cannot read it; {_TEACH}") from error
    trial = np.zeros((1, INPUTS, 4 * MULTIPLE, 4 * MULTIPLE), np.float32)
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
        net.setInput(trial)
        shape = net.forward().shape
    except cv2.error as error:
        raise WeightsError(f"{path}: expected a trained network (.onnx), found something else; {_TEACH}") from error
    if shape != (1, CHANNELS, 4 * MULTIPLE // STRIDE, 4 * MULTIPLE // STRIDE):
        raise WeightsError(f"{path}: expected a network of marks, found one that gives {shape}; {_TEACH}")
    return net
