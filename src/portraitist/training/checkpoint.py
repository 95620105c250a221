"""Checkpoints of a run: weights, average, optimiser and step in one safetensors file, written in one move.

Nothing is pickled. Random numbers need no place here: every step draws from a seed made of the run's seed and the
step's number.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from portraitist.errors import ConfigError, EngineError
from portraitist.library import write_atomic

KEPT = 2
"""The newest checkpoint, and the one before in case the newest is damaged on disk."""


class OtherSettings(ConfigError):
    """A run cannot go on: it was begun with other settings."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after `step` steps. `tensors` by name; `settings` are those of the run, as JSON values."""

    step: int
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]


def path_of(folder: Path, step: int) -> Path:
    """File of the checkpoint after `step` steps."""
    return folder / f"checkpoint-{step:07d}.safetensors"


def checkpoints(folder: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write whole or not at all, then drop all but the newest two. EngineError when the disk is full."""
    path = path_of(folder, checkpoint.step)
    _write(path, packed(checkpoint))
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink()
    return path


def packed(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as a safetensors file."""
    tensors = {name: tensor.detach().contiguous() for name, tensor in checkpoint.tensors.items()}
    facts = {"step": str(checkpoint.step), "settings": json.dumps(dict(checkpoint.settings), sort_keys=True)}
    data: bytes = save(tensors, metadata=facts)
    return data


def unpacked(data: bytes) -> Checkpoint:
    """What `packed` made."""
    # The format: the header's length in eight bytes, little end first, then the header in JSON.
    facts = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return Checkpoint(int(facts["step"]), load(data), json.loads(facts["settings"]))


def _write(path: Path, data: bytes) -> None:
    with room_for(f"a checkpoint of {len(data) / 1e6:.0f} MB", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)


@contextmanager
def room_for(what: str, folder: Path) -> Iterator[None]:
    """Around writing a part of a run: EngineError where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise EngineError(
            f"{folder}: no room for {what}; the one before is whole. "
            "Free some space and run the same command: it goes on from there"
        ) from error


def load_newest(folder: Path, settings: Mapping[str, Any]) -> Checkpoint | None:
    """The newest readable checkpoint, None where there is none.

    Raises OtherSettings when the run was begun with others, naming them, and EngineError when files are there
    but none can be read.
    """
    found = checkpoints(folder)
    for path in reversed(found):
        checkpoint = _read(path)
        if checkpoint is not None:
            require_same(checkpoint.settings, settings, folder)
            return checkpoint
    if found:
        raise EngineError(f"{folder}: none of {len(found)} checkpoints can be read; delete the folder to begin anew")
    return None


def _read(path: Path) -> Checkpoint | None:
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Checkpoint(int(facts["step"]), tensors, json.loads(facts["settings"]))
    except (SafetensorError, KeyError, ValueError):
        return None


def require_same(saved: Mapping[str, Any], asked: Mapping[str, Any], folder: Path) -> None:
    """Raise OtherSettings, naming what differs, unless a run with the one's settings may go on with the other's."""
    wanted = json.loads(json.dumps(dict(asked)))
    differing = [name for name in sorted({*saved, *wanted}) if saved.get(name) != wanted.get(name)]
    if differing:
        what = "; ".join(f"{name} was {saved.get(name)!r}, now {wanted.get(name)!r}" for name in differing)
        raise OtherSettings(f"{folder}: this run was begun with other settings ({what}); use those, or begin anew")


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: Mapping[Tensor, str]) -> dict[str, Tensor]:
    """The optimiser's memory by parameter name."""
    return {
        f"optimizer.{key}.{names[parameter]}": _as_tensor(key, value)
        for parameter, memory in optimizer.state.items()
        for key, value in memory.items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, names: Mapping[Tensor, str], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimizer_tensors` took."""
    keys = {name.split(".", 2)[1] for name in tensors if name.startswith("optimizer.")}
    for parameter, name in names.items():
        memory = {key: tensors[f"optimizer.{key}.{name}"] for key in keys if f"optimizer.{key}.{name}" in tensors}
        if memory:
            optimizer.state[parameter] = {key: _as_value(value, parameter) for key, value in memory.items()}


def _as_tensor(key: str, value: Any) -> Tensor:
    """AdamW's values are tensors; bitsandbytes counts steps in a plain number and shares one table between parameters,
    which safetensors refuses (its optim/optimizer.py)."""
    tensor = torch.as_tensor(value)
    return tensor.clone() if key.startswith("qmap") else tensor


def _as_value(tensor: Tensor, parameter: Tensor) -> Any:
    if tensor.ndim == 0 and not tensor.is_floating_point():
        return int(tensor)
    return tensor.to(parameter.device)
