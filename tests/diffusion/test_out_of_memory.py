"""Memory that runs out is recognised and ends in a command to try."""

from __future__ import annotations

import re

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from portraitist.diffusion.bases import BASES
from portraitist.diffusion.out_of_memory import is_out_of_memory, out_of_memory_explained
from portraitist.errors import EngineError


def explain(base: str, preset: str, device: str, error: BaseException) -> str:
    row = BASES[base]
    with (
        pytest.raises(EngineError) as caught,
        out_of_memory_explained(row, row.preset(preset), device, "portraitist train anna", lambda: "; behind it"),
    ):
        raise error
    return str(caught.value)


def test_the_next_smaller_preset_is_named() -> None:
    said = explain("sdxl", "24gb", "cuda", torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert "base 'sdxl' with preset '24gb' on device 'cuda'" in said
    assert "Tried to allocate 2 GiB" in said
    assert said.endswith("try 'portraitist train anna --preset 16gb'; behind it")


def test_where_there_is_none_it_says_so() -> None:
    assert "no smaller preset; close other programs" in explain("sd15", "cpu", "cpu", MemoryError())
    assert "no smaller preset" in explain("mini", "24gb", "cuda", MemoryError())
    assert "on the CPU it is 'portraitist train anna --preset cpu --device cpu'" in explain(
        "sd15", "8gb", "cuda", MemoryError()
    )


def test_torch_s_own_error_on_a_cpu_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_another_error_passes() -> None:
    row = BASES["mini"]
    wrong = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not is_out_of_memory(wrong)
    with (
        pytest.raises(RuntimeError, match=re.escape("mat1 and mat2")),
        out_of_memory_explained(row, row.preset("cpu"), "cpu", "portraitist train anna"),
    ):
        raise wrong
