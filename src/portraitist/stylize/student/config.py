"""Settings of a student: how large it is, what it is told to come close to, and how long it learns."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.training.config import LoopConfig

MULTIPLE = 32
"""Sides of what a painter is shown are a multiple of this many pixels."""
COST_SIDE = 512
"""Pixels of the side at which multiply-adds are counted."""
CAPS = {"nano": 1.2e9, "small": 2.6e9, "base": 8e9}
"""The most multiply-adds of a tier for one picture of `COST_SIDE`."""
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class StudentSize:
    """How large the network is. The sides are 1/4, 1/8 and 1/16 of the picture's."""

    widths: tuple[int, ...] = option((32, 48, 96), "channels at 1/4, 1/8 and 1/16 of the side")
    blocks: tuple[int, ...] = option((0, 1, 2), "residual blocks there")
    has_mask: bool = option(False, "the network also says where it wants to be shown")

    def __post_init__(self) -> None:
        check(self)
        if (len(self.widths), len(self.blocks)) != (3, 3) or min(self.widths) < 1 or min(self.blocks) < 0:
            raise ConfigError(f"StudentSize: expected three widths of 1 or more and three counts, found {self}")


TIERS = {
    "nano": StudentSize(),
    "small": StudentSize(widths=(40, 64, 112), blocks=(1, 2, 2)),
    "base": StudentSize(widths=(64, 96, 80), blocks=(3, 2, 1)),
    "tiny": StudentSize(widths=(8, 8, 8), blocks=(0, 1, 0)),
}
"""Sizes by name, chosen on two cores with ONNX Runtime; `tiny` is for tests."""


@dataclass(frozen=True)
class StudentConfig:
    """How a student learns from pairs. A run goes on only with the settings it was begun with, but for the steps.

    A weight of 0 takes its loss out. Weights lie so that at the start no loss is far above the pixels' own.
    """

    tier: str = option("nano", "size of the network", choices=tuple(TIERS))
    has_mask: bool = option(False, "learn the pairs' masks as a second output")
    steps: int = option(20_000, "steps of the optimiser", low=1)
    batch: int = option(8, "pairs a step", low=1, high=1024)
    side: int = option(256, "side of the crop of a pair that is learned from", unit="px", low=64, high=1024)
    learning_rate: float = option(1e-3, "peak rate of AdamW", low=1e-8, high=1)
    pixel: float = option(1.0, "weight of the mean absolute difference of pixels", low=0, high=1000)
    gradient: float = option(
        1.0, "weight of the differences between neighbouring pixels: crisp borders, even colours", low=0, high=1000
    )
    lattice: float = option(
        0.2, "weight of steps at the borders of the blocks it unfolds being like those inside", low=0, high=1000
    )
    ease: int = option(
        1000, "steps that gradient and lattice are left out, and as many until they weigh in full", unit="steps", low=0
    )
    perceptual: float = option(0.5, "weight of the difference of a trained network's features", low=0, high=1000)
    adversarial: float = option(0.05, "weight of what a critic of patches says", low=0, high=1000)
    edges: float = option(0.5, "weight, for the critic, of paintings whose edges were softened", low=0, high=100)
    even_tones: bool = option(True, "pairs of dark and of light faces are drawn equally often")
    augment: bool = option(True, "mirror, shift, turn and scale pairs, and change the photo's light")
    precision: str = option(
        "float32", "convolutions while training; bfloat16 pays where the processor has it", choices=PRECISIONS
    )
    seed: int = option(42, "of crops, changes and the first weights", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.side % MULTIPLE:
            raise ConfigError(f"StudentConfig.side: expected a multiple of {MULTIPLE}, found {self.side}")
        if not self.pixel and not self.perceptual:
            raise ConfigError("StudentConfig: expected a weight of pixels or features above 0; a critic knows no pairs")
        if self.edges and not self.adversarial:
            raise ConfigError("StudentConfig: edges are told to the critic: expected adversarial above 0, or edges 0")

    @property
    def loop(self) -> LoopConfig:
        """What the shared loop is told. The norm is that of student and critic together."""
        return LoopConfig(
            learning_rate=self.learning_rate,
            warm_up=200,
            decay_after=4000,
            weight_decay=0,
            clip_norm=10,
            seed=self.seed,
        )

    @property
    def size(self) -> StudentSize:
        """The network of the tier, with its mask when asked."""
        tier = TIERS[self.tier]
        return StudentSize(tier.widths, tier.blocks, self.has_mask)
