"""A LoRA that training begins from, such as one learned on many real faces."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import check, lay_in
from portraitist.diffusion.lora_formats import read_lora, read_metadata
from portraitist.diffusion.lora_fusion import reduce_rank
from portraitist.errors import InputError
from portraitist.progress import Report, Step, silent


@dataclass(frozen=True)
class Prior:
    """lora: at most of the asked rank. sha256: of the file. rank_loss: relative error of bringing it to that rank.
    noncommercial: what the file says of itself."""

    path: Path
    lora: Lora
    sha256: str
    rank_loss: float
    noncommercial: bool
    report: Report = silent

    def lay_in(self, parts: Mapping[str, nn.Module], adapter: str) -> None:
        """Begin the adapters of `parts` with it; those it knows nothing of stay fresh. Raises InputError when it has
        nothing for any of them."""
        filled = lay_in(parts, adapter, self.lora)
        if not filled:
            names = ", ".join(sorted({path.rpartition(".")[2] for path in self.lora.modules}))
            raise InputError(f"{self.path}: none of its modules ({names}) learns here; choose another prior")
        parts_of = f"{filled} of its {len(self.lora.modules)} modules learn on"
        self.report(
            Step("prior", message=f"{self.path.name}: {parts_of}; relative error of its rank {self.rank_loss:.3f}")
        )


def read_prior(path: Path, pipeline: Any, rank: int, report: Report = silent) -> Prior:
    """The LoRA of a file, brought to the rank. Raises InputError for a file that is none, or one for another base."""
    lora = read_lora(path)
    check(pipeline, lora)
    brought, loss = reduce_rank(lora, rank)
    noncommercial = read_metadata(path).get("noncommercial") == "True"
    return Prior(path, brought, hashlib.sha256(path.read_bytes()).hexdigest(), loss.total, noncommercial, report)
