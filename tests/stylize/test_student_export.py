"""Every exported file paints what torch paints, fits into its size, and names what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")

from portraitist.errors import EngineError, InputError
from portraitist.stylize.student import convert
from portraitist.stylize.student.config import CAPS, TIERS
from portraitist.stylize.student.export import as_input, to_int8, to_onnx
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.runtimes import RUNTIMES, median_seconds, psnr
from tests.stylize.drawn_pairs import photo

PICTURES = [photo(seed, 128) for seed in range(8)]


def _network(tier: str = "tiny", has_mask: bool = False) -> StudentNetwork:
    torch.manual_seed(3)
    network = StudentNetwork(replace(TIERS[tier], has_mask=has_mask)).eval()
    with torch.no_grad():
        network.paint.weight.mul_(5)
        network.detail.weight.copy_(0.1 * torch.eye(3)[:, :, None, None])
    return network


def _truth(network: StudentNetwork, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        made = network(torch.from_numpy(image))
    return np.asarray((made[0] if isinstance(made, tuple) else made).numpy())


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "painter.onnx"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("is_half", "least"), [(False, 80), (True, 40)])
@pytest.mark.parametrize("side", [128, 64])
def test_onnx_is_torch(is_half: bool, least: float, side: int, tmp_path: Path) -> None:
    network, image = _network(), as_input(photo(9, side))
    painted = RUNTIMES[".onnx"](_file(tmp_path, to_onnx(network, {}, is_half=is_half)), 1)(image)
    assert psnr(painted, _truth(network, image)) > least


@pytest.mark.parametrize("tier", CAPS)
def test_int8_is_near_and_the_file_is_small(tier: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    network, image = _network(tier), as_input(photo(9, 128))
    single, half = to_onnx(network, {}), to_onnx(network, {}, is_half=True)
    quantised = to_int8(single, PICTURES)
    assert len(quantised) < 0.7 * len(half) < 0.4 * len(single)
    assert len(half) <= 2_000_000
    painted = RUNTIMES[".onnx"](_file(tmp_path, quantised), 1)(image)
    assert 40 <= psnr(painted, _truth(network, image)) < 70


def test_the_mask_is_the_second_output(tmp_path: Path) -> None:
    network, image = _network(has_mask=True), as_input(photo(4, 96))
    session = onnxruntime.InferenceSession(to_onnx(network, {"name": "test"}))
    assert [output.name for output in session.get_outputs()] == ["painted", "mask"]
    assert session.get_modelmeta().custom_metadata_map == {"name": "test"}
    painted, mask = session.run(None, {"image": image})
    with torch.no_grad():
        truth = network(torch.from_numpy(image))
    np.testing.assert_allclose(painted, truth[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(mask, truth[1].numpy(), atol=1e-4)


def test_too_few_pictures_for_ranges() -> None:
    with pytest.raises(InputError, match="8 pictures or more"):
        to_int8(b"", PICTURES[:3])


@pytest.mark.parametrize(
    ("package", "format_name", "ending", "least"),
    [("pnnx", "ncnn", ".param", 40), ("MNN", "mnn", ".mnn", 40), ("litert_torch", "tflite", ".tflite", 80)],
)
def test_other_formats_are_torch(package: str, format_name: str, ending: str, least: float, tmp_path: Path) -> None:
    pytest.importorskip(package)
    network, image = _network(), as_input(photo(5, 64))
    files = convert.CONVERTERS[format_name](network, tmp_path / "painter", 64)
    (path,) = (file for file in files if file.suffix == ending)
    assert psnr(RUNTIMES[ending](path, 1)(image), _truth(network, image)) > least


def test_a_converter_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(convert.importlib, "import_module", refuse)
    converters: list[Callable[..., object]] = list(convert.CONVERTERS.values())
    for converter in converters:
        with pytest.raises(EngineError, match="pip install it"):
            converter(_network(), tmp_path / "painter", 64)


def test_the_time_is_a_median_and_equal_pictures_are_infinitely_alike() -> None:
    image = as_input(photo(1, 32))
    assert median_seconds(lambda: image, 5) < 0.01
    assert psnr(image, image) == float("inf")
