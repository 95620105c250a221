"""Memory that ran out: how it is recognised, and what is told to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from portraitist.diffusion.base_row import PRESETS, Base, Preset
from portraitist.diffusion.bases import smaller_preset
from portraitist.errors import EngineError

_MARKS = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""In the messages of RuntimeErrors: of the CPU's and of MPS's allocator, and of cuBLAS."""


@contextmanager
def out_of_memory_explained(
    base: Base, preset: Preset, device: str, command: str, hint: Callable[[], str] = str
) -> Iterator[None]:
    """Inside, memory that runs out ends in an EngineError that names the next smaller preset.

    command: what was run, to which ` --preset NAME` is added. hint: makes words to stand behind it.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        where = f"base '{base.name}' with preset '{preset.name}' on device '{device}'"
        cause = str(error).partition("\n")[0] or type(error).__name__
        advice = _advice(base, preset, device, command) + hint()
        raise EngineError(f"{where}: memory ran out ({cause}); {advice}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """True for Python's, numpy's and torch's ways of saying so."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(mark in str(error) for mark in _MARKS)


def _advice(base: Base, preset: Preset, device: str, command: str) -> str:
    smaller = smaller_preset(base, preset.name)
    if smaller is None:
        return "there is no smaller preset; close other programs, or lower --batch or --rank"
    if smaller.name == PRESETS[0] and device != "cpu":
        return f"no preset for a GPU is smaller; on the CPU it is '{command} --preset {smaller.name} --device cpu'"
    return f"try '{command} --preset {smaller.name}'"
