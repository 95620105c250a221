"""Settings of the trained detector: its size, how it is trained, and from which score on something is a mark."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.training.config import LoopConfig

MULTIPLE = 16
"""Sides of what the network is shown are a multiple of this many pixels."""


@dataclass(frozen=True)
class MarkNetworkSize:
    """How large the network is."""

    widths: tuple[int, ...] = option((24, 32, 64, 96), "channels at 1/2, 1/4, 1/8 and 1/16 of the side")
    blocks: int = option(2, "residual blocks a level", low=1)
    head: int = option(48, "channels of the layer before the maps", low=1)

    def __post_init__(self) -> None:
        check(self)
        if len(self.widths) not in (3, 4) or min(self.widths) < 1:
            raise ConfigError(f"MarkNetworkSize: expected three or four widths, all of 1 or more, found {self}")


@dataclass(frozen=True)
class MarkNetworkConfig:
    """What the engine `network` calls a mark. The least scores were chosen on rendered views of held-back tune people
    (docs/marks.md)."""

    network_file: str = option("", "ONNX file of your own training; without, the one that comes with the project")
    mole_score: float = option(0.3, "least score of a mole", low=0.01, high=1)
    spot_score: float = option(0.36, "least score of a spot", low=0.01, high=1)
    pimple_score: float = option(0.4, "least score of a pimple", low=0.01, high=1)
    scar_score: float = option(0.45, "least score of a scar", low=0.01, high=1)
    wrinkle_score: float = option(0.7, "score that a wrinkle reaches somewhere", low=0.01, high=1)
    wrinkle_follow: float = option(0.4, "score down to which it is followed from there", low=0.01, high=1)
    wrinkle_length: float = option(0.025, "least length of a wrinkle", unit="of the view's side", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class MarkTrainingConfig:
    """How the detector is trained. A run goes on only with the settings it was begun with, but for the steps."""

    steps: int = option(3000, "steps of the optimiser", low=1)
    batch: int = option(8, "crops a step", low=1, high=1024)
    crop: int = option(256, "side of a crop; a multiple of 16", unit="px", low=64, high=1024)
    side: int = option(1024, "side of the view of a face that crops are taken from", unit="px", low=128, high=2048)
    learning_rate: float = option(3e-3, "peak rate of AdamW", low=1e-8, high=1)
    seed: int = option(42, "of crops, changes and the first weights", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.crop % MULTIPLE:
            raise ConfigError(f"MarkTrainingConfig.crop: expected a multiple of {MULTIPLE}, found {self.crop}")

    @property
    def loop(self) -> LoopConfig:
        """What the shared loop is told."""
        return LoopConfig(learning_rate=self.learning_rate, warm_up=100, decay_after=2000, seed=self.seed)


SHIPPED_SIZE = MarkNetworkSize()
TINY = MarkNetworkSize(widths=(8, 8, 8), blocks=1, head=8)
"""The first is shipped, the second is for tests."""
