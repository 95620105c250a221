"""What a portrait cost: seconds of each stage, and the peak of memory."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class StageClock:
    """Seconds by stage; a stage that comes again adds up.

    >>> clock = StageClock()
    >>> with clock("draw"):
    ...     pass
    >>> list(clock.seconds)
    ['draw']
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time the block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - started, 3)


def peak_memory(device: str = "cpu") -> int | None:
    """Peak memory in MiB since the start: of torch on a CUDA device, else of this process. None where the system does
    not tell (Windows, other devices)."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(torch.device(device)) // 2**20)
    if device != "cpu" or sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return most // (2**20 if sys.platform == "darwin" else 2**10)
