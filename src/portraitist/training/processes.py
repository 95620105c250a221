"""Several processes that train one thing together, one a GPU: who they are, and what they tell one another.

`accelerate launch` (or torchrun) starts them and says so in the environment. One process alone never imports
accelerate and sends nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, nn

from portraitist.errors import EngineError, PlacementError, PortraitistError
from portraitist.placement import Placement

LONGEST_WAIT = timedelta(hours=6)
"""The others wait while the main process draws and scores; the ten minutes that NCCL waits by default are too few."""
_DONE, _FAILED = b"+", b"-"
T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """How many processes train together and which one this is, counted from 0; the main one is 0.

    local_index: among those of this machine. device: torch's name of where messages live.
    """

    count: int = 1
    index: int = 0
    local_index: int = 0
    device: str = "cpu"

    @classmethod
    def join(cls, placement: Placement | None) -> Processes:
        """This process among those that the launcher started; alone where the environment names no others.

        placement: what was asked for; None is a GPU where there is one. Raises PlacementError for a device on which
        processes cannot train together, and EngineError when they cannot reach one another.
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count < 2:
            return cls()
        from accelerate import PartialState

        asked = placement.device if placement else "cuda" if torch.cuda.is_available() else "cpu"
        if asked.partition(":")[0] not in ("cpu", "cuda"):
            found = f"found '{asked}'; launch one process"
            raise PlacementError(f"device: expected cpu or cuda for {count} processes, {found}")
        with _connected():
            state = PartialState(cpu=asked == "cpu", timeout=LONGEST_WAIT)
        if state.num_processes != count:
            raise PlacementError(
                f"processes: expected {count} on device '{asked}', found {state.num_processes}; is the device here?"
            )
        atexit.register(state.destroy_process_group)
        return cls(count, state.process_index, state.local_process_index, str(state.device))

    @property
    def is_main(self) -> bool:
        """True for the one that writes files."""
        return self.index == 0

    def place(self, placement: Placement | None) -> Placement:
        """Where this process works: each of several on a GPU of its own; else where it was asked to."""
        asked = placement or Placement()
        return replace(asked, device=self.device) if self.device.startswith("cuda") else asked

    def passes(self, accumulation: int) -> range:
        """The passes of a step that are this process's: every `count`-th."""
        return range(self.index, accumulation, self.count)

    def add_gradients(self, module: nn.Module, loss: float) -> float:
        """Add up the gradients of all processes, in one message; returns the sum of their losses.

        What is not a number on one of them is not a number on all of them afterwards.
        """
        if self.count == 1:
            return loss
        parameters = [p for p in module.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([g.flatten().to(self.device, torch.float32) for g in gradients] + [self._number(loss)])
        self._add_up(flat)
        sizes = [g.numel() for g in gradients]
        for parameter, gradient, part in zip(parameters, gradients, torch.split(flat[:-1], sizes), strict=True):
            # What no process reached stays without a gradient, or the optimiser would begin to decay it.
            if parameter.grad is not None or bool(part.any()):
                parameter.grad = part.view_as(gradient).to(gradient)
        return float(flat[-1])

    def from_main(self, action: Callable[[], bytes]) -> bytes:
        """Bytes that `action` makes on the main process, on every process; the others wait.

        An error of this library that it raises there is raised on all of them.
        """
        if self.count == 1:
            return action()
        if not self.is_main:
            return self._heard()
        try:
            data = action()
        except PortraitistError as error:
            self._say(_FAILED + str(error).encode())
            raise
        self._say(_DONE + data)
        return data

    def on_main(self, action: Callable[[], T]) -> T | None:
        """What `action` gives on the main process; None on the others, which wait for it and share its errors."""
        made: list[T] = []

        def act() -> bytes:
            made.append(action())
            return b""

        self.from_main(act)
        return made[0] if made else None

    def decide(self, action: Callable[[], bool]) -> bool:
        """The main process's answer, on every process."""
        return bool(self.from_main(lambda: b"yes" if action() else b""))

    @contextmanager
    def first_here(self) -> Iterator[None]:
        """The first process of each machine goes through alone: what it downloads the others find."""
        if self.local_index:
            self._wait()
        yield
        if not self.local_index:
            self._wait()

    def _wait(self) -> None:
        if self.count > 1:
            # Reading the number waits for it on a GPU as well.
            number = self._number(0.0)
            self._add_up(number)
            float(number)

    def _add_up(self, tensor: Tensor) -> None:
        with _connected():
            torch.distributed.all_reduce(tensor)

    def _say(self, frame: bytes) -> None:
        with _connected():
            torch.distributed.broadcast(torch.tensor([len(frame)], device=self.device), 0)
            torch.distributed.broadcast(torch.frombuffer(bytearray(frame), dtype=torch.uint8).to(self.device), 0)

    def _heard(self) -> bytes:
        size = torch.zeros(1, dtype=torch.int64, device=self.device)
        with _connected():
            torch.distributed.broadcast(size, 0)
            frame = torch.zeros(int(size), dtype=torch.uint8, device=self.device)
            torch.distributed.broadcast(frame, 0)
        data = frame.cpu().numpy().tobytes()
        if data[:1] == _FAILED:
            raise EngineError(data[1:].decode())
        return data[1:]

    def _number(self, value: float) -> Tensor:
        return torch.tensor([value], device=self.device)


ALONE = Processes()
"""One process, the usual case."""


@contextmanager
def _connected() -> Iterator[None]:
    """torch says RuntimeError when another process has gone, whatever the backend."""
    try:
        yield
    except RuntimeError as error:
        # What follows its first sentence is advice for torch's own developers.
        said = str(error).partition("\n")[0].partition(". ")[0]
        raise EngineError(
            f"lost the other processes ({said}); the first message of another says why. "
            "Run the same command again: it goes on from the newest checkpoint"
        ) from error
