"""Super-resolution of photos by tiles: RealESRGAN through ncnn, on the CPU.

Source: Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist import weights
from portraitist.errors import ConfigError
from portraitist.networks import import_ncnn
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.types import Image

MODELS = ("realesrgan-x4plus", "realesr-animevideov3-x4")
"""`realesrgan-x4plus` keeps skin; `realesr-animevideov3-x4` is about twenty times faster and paints it."""
NETWORK_SCALE = 4
_HERE = Placement()


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges four times; x2 is its result shrunk by an area filter.

    >>> Upscaler.load()(image, 2).shape  # doctest: +SKIP
    """

    network: Any
    model: str

    @classmethod
    def load(cls, model: str = "realesrgan-x4plus", placement: Placement = _HERE, report: Report = silent) -> Upscaler:
        """Fetch the weights where missing. ConfigError on an unknown model, PlacementError off the CPU."""
        if model not in MODELS:
            raise ConfigError(f"upscaler '{model}': unknown; known are {', '.join(MODELS)}")
        placement.require_cpu("upscale")
        ncnn = import_ncnn()
        network = ncnn.Net()
        network.opt.num_threads = placement.threads
        network.opt.use_vulkan_compute = False
        # Tiles come in few sizes: without the pools, memory of one tile is given back before the next.
        network.opt.use_packing_layout = True
        network.load_param(str(weights.fetch(f"{model}.param", report)))
        network.load_model(str(weights.fetch(f"{model}.bin", report)))
        return cls(network, model)

    def __call__(
        self, image: Image, scale: int = 4, *, tile: int = 128, overlap: int = 10, report: Report = silent
    ) -> Image:
        """(h, w, 3) enlarged `scale` (2 or 4) times.

        tile, overlap: pixels of the input; neighbours share `overlap` on each side, feathered over its inner half.
        Memory grows with the tile (about 1.1 GB at 128), not with the picture.
        """
        if scale not in (2, 4):
            raise ConfigError(f"scale: expected 2 or 4, found {scale}")
        if tile <= 2 * overlap or overlap < 0:
            raise ConfigError(f"tile: expected more than twice the overlap of {overlap} px, found {tile}")
        h, w = image.shape[:2]
        total = np.zeros((h * scale, w * scale, 3), np.float32)
        mass = np.zeros((h * scale, w * scale, 1), np.float32)
        boxes = list(_tiles(h, w, tile, overlap))
        for done, (y0, x0, y1, x1) in enumerate(boxes):
            report(Step("upscale", done, len(boxes)))
            part = self._enlarge(image[y0:y1, x0:x1], scale)
            share = _feather(part.shape, overlap * scale, (y0 > 0, x0 > 0, y1 < h, x1 < w))
            area = slice(y0 * scale, y1 * scale), slice(x0 * scale, x1 * scale)
            total[area] += part * share
            mass[area] += share
        return np.clip(np.round(total / mass), 0, 255).astype(np.uint8)

    def _enlarge(self, image: Image, scale: int) -> NDArray[np.float32]:
        """One tile, float32 in 0-255."""
        ncnn = import_ncnn()
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255
        with self.network.create_extractor() as extractor:
            extractor.input("data", ncnn.Mat(planes).clone())
            _, output = extractor.extract("output")
            large = np.array(output).transpose(1, 2, 0)
        if scale != NETWORK_SCALE:
            h, w = image.shape[:2]
            large = cv2.resize(large, (w * scale, h * scale), interpolation=cv2.INTER_AREA)
        return np.asarray(large * 255, np.float32)


def _tiles(h: int, w: int, tile: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (y0, x0, y1, x1) that cover the picture; neighbours share at least twice the overlap."""
    for y0 in _starts(h, tile, overlap):
        for x0 in _starts(w, tile, overlap):
            yield y0, x0, min(y0 + tile, h), min(x0 + tile, w)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    if length <= tile:
        return [0]
    count = int(np.ceil((length - 2 * overlap) / (tile - 2 * overlap)))
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


def _feather(shape: tuple[int, ...], overlap: int, inner: tuple[bool, bool, bool, bool]) -> NDArray[np.float32]:
    """(h, w, 1) weight of a tile: nothing in the outer half of an overlap (the network saw a border), then a ramp."""
    top, left, bottom, right = inner
    down = np.minimum(_ramp(shape[0], overlap, top), _ramp(shape[0], overlap, bottom)[::-1])
    across = np.minimum(_ramp(shape[1], overlap, left), _ramp(shape[1], overlap, right)[::-1])
    return np.asarray((down[:, None] * across[None])[..., None], np.float32)


def _ramp(length: int, overlap: int, inner: bool) -> NDArray[np.float32]:
    if not inner or overlap == 0:
        return np.ones(length, np.float32)
    position = np.arange(length, dtype=np.float32) + 0.5
    return np.clip((position - overlap / 2) / overlap, 1e-6, 1)
