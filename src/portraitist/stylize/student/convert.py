"""A student in the formats of phones: ncnn, MNN and TFLite, each where its converter is installed.

| format | package of the converter | sides | weights |
|---|---|---|---|
| ncnn | pnnx | any multiple of 32 | half precision |
| MNN | mnn | any multiple of 32 | half precision |
| TFLite | litert-torch | those of the conversion | single precision |
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch

from portraitist.errors import EngineError
from portraitist.library import write_atomic
from portraitist.stylize.student.export import to_onnx
from portraitist.stylize.student.network import StudentNetwork

Convert = Callable[[StudentNetwork, Path, int], list[Path]]
"""network, path without its ending, side of the picture -> the files that were written."""


def convert_ncnn(network: StudentNetwork, path: Path, side: int) -> list[Path]:
    """`*.ncnn.param` and `*.ncnn.bin`; blobs `in0` -> `out0` (and `out1`, the mask)."""
    pnnx = _package("pnnx", "pnnx")
    with tempfile.TemporaryDirectory() as folder:
        pnnx.export(network, str(Path(folder) / "student.pt"), (torch.rand(1, 3, side, side),))
        made = [Path(folder) / f"student.ncnn.{part}" for part in ("param", "bin")]
        return [_kept(file, path.with_name(f"{path.name}.ncnn{file.suffix}")) for file in made]


def convert_mnn(network: StudentNetwork, path: Path, side: int) -> list[Path]:
    """`*.mnn`; input and outputs as in the ONNX file. The converter's own command is not used: it installs a logger."""
    _package("MNN", "mnn")
    tools = _package("_tools", "mnn")
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "student.onnx", Path(folder) / "student.mnn"
        before.write_bytes(to_onnx(network, {}))
        asked = ["-f", "ONNX", "--modelFile", str(before), "--MNNModel", str(after), "--bizCode", "painter", "--fp16"]
        tools.mnnconvert(["mnnconvert", *asked])
        return [_kept(after, path.with_name(f"{path.name}.mnn"))]


def convert_tflite(network: StudentNetwork, path: Path, side: int) -> list[Path]:
    """`*.tflite`, for pictures of `side` only."""
    litert_torch = _package("litert_torch", "litert-torch")
    with tempfile.TemporaryDirectory() as folder:
        after = Path(folder) / "student.tflite"
        litert_torch.convert(network.eval(), (torch.rand(1, 3, side, side),)).export(str(after))
        return [_kept(after, path.with_name(f"{path.name}.tflite"))]


CONVERTERS: dict[str, Convert] = {"ncnn": convert_ncnn, "mnn": convert_mnn, "tflite": convert_tflite}
"""By name of the format."""


def _package(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EngineError(
            f"conversion: expected the package {package}, not installed ({error}); pip install it"
        ) from error


def _kept(made: Path, path: Path) -> Path:
    if not made.is_file():
        raise EngineError(f"conversion to {path.name}: the converter wrote nothing; see what it printed")
    return write_atomic(path, made.read_bytes())
