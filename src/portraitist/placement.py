"""Where work runs: device and threads. Engines receive a `Placement`; they never pick a device themselves."""

from __future__ import annotations

import os
from dataclasses import dataclass

from portraitist.errors import PlacementError


@dataclass(frozen=True)
class Placement:
    """Device and CPU threads an engine may use.

    device: `cpu`, `cuda`, `cuda:N` or `mps`; built-in engines accept only `cpu`.
    threads: CPU threads for each network (at least 1).
    """

    device: str = "cpu"
    threads: int = os.cpu_count() or 1

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise PlacementError(f"threads: expected at least 1, found {self.threads}; leave it out to use every core")

    def require_cpu(self, engine: str) -> None:
        """Raise PlacementError unless the device is the CPU."""
        if self.device != "cpu":
            found = f"found device '{self.device}'; use device 'cpu'"
            raise PlacementError(f"engine '{engine}' runs on the CPU only, {found}")
