"""Settings of a generator: how large it is and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.training.config import LoopConfig


@dataclass(frozen=True)
class GeneratorSize:
    """How large the two networks are. A level of side s has min(channel_base / s, channel_max) channels."""

    side: int = option(64, "side of the picture, a power of two", unit="px", low=8, high=1024)
    latent: int = option(128, "length of z and of w", low=4, high=1024)
    mapping_layers: int = option(4, "layers from z to w", low=1, high=16)
    channel_base: int = option(2048, "channels of a level times its side", low=32, high=65536)
    channel_max: int = option(192, "most channels of a level", low=4, high=1024)

    def __post_init__(self) -> None:
        check(self)
        if self.side & (self.side - 1):
            raise ConfigError(f"GeneratorSize.side: expected a power of two, found {self.side}")

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the levels: 4, 8, up to the picture's."""
        return tuple(1 << power for power in range(2, self.side.bit_length()))

    def channels(self, side: int) -> int:
        """Channels of the level of that side."""
        return min(self.channel_base // side, self.channel_max)

    @property
    def latents(self) -> int:
        """Latents a picture takes: two a level, the first level one less, and one for its last colours."""
        return 2 * len(self.sides)


@dataclass(frozen=True)
class GanConfig:
    """How the generator and the discriminator are trained. A run goes on only with what it was begun with."""

    batch: int = option(16, "pictures a step, real and made", low=2, high=1024)
    learning_rate: float = option(0.0025, "rate of Adam, for both networks", low=1e-8, high=1)
    gamma: float = option(0.3, "weight of the R1 penalty on the discriminator's gradient", low=0, high=1e4)
    penalty_every: int = option(16, "steps between R1 penalties", unit="steps", low=1, high=1000)
    path_weight: float = option(2.0, "weight of the path-length penalty; 0: none", low=0, high=1e3)
    path_every: int = option(8, "steps between path-length penalties", unit="steps", low=1, high=1000)
    mixing: float = option(0.5, "part of the pictures whose levels take two latents", low=0, high=1)
    overfit_target: float = option(0.6, "mean sign of the discriminator on real pictures to aim at", low=0, high=1)
    augment_pictures: int = option(
        100_000, "pictures over which the augmentation may grow from 0 to 1", unit="pictures", low=1, high=10**8
    )
    augment_most: float = option(0.8, "largest probability of each augmentation", low=0, high=1)
    ema_width: float = option(0.1, "width of the averaged weights' window over the time trained", low=0.01, high=0.28)
    seed: int = option(42, "of pictures, latents, noise and the first weights", low=0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def loop(self) -> LoopConfig:
        """What the shared loop is told: a constant rate, no clipping worth the name."""
        return LoopConfig(
            learning_rate=self.learning_rate,
            warm_up=0,
            decay_after=0,
            weight_decay=0.0,
            beta2=0.99,
            clip_norm=1e6,
            ema_width=self.ema_width,
            seed=self.seed,
        )


@dataclass(frozen=True)
class TransferConfig:
    """What of the source may move when a style is learned, and how fast, as factors of the learning rate."""

    mapping_rate: float = option(0.0, "of the mapping; 0 keeps who is who", low=0, high=10)
    coarse_rate: float = option(0.2, "of levels up to coarse_side: pose and shape", low=0, high=10)
    coarse_side: int = option(8, "the last coarse level", unit="px", low=4, high=1024)
    fine_rate: float = option(1.0, "of the levels above: drawing and colour", low=0, high=10)
    frozen_blocks: int = option(1, "blocks of the discriminator that stand still, the largest side first", low=0)
    match_weight: float = option(0.5, "weight of staying near the source's coarse features; 0: free", low=0, high=1e3)
    match_side: int = option(8, "the last level whose features are compared", unit="px", low=4, high=1024)
    colour_weight: float = option(8.0, "weight of the head's coarse colours staying the source's", low=0, high=1e3)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class EncoderConfig:
    """How the encoder that inversion begins with is trained."""

    batch: int = option(16, "pictures a step, half of them made, half photos", low=2, high=1024)
    learning_rate: float = option(1e-3, "peak rate of AdamW", low=1e-8, high=1)
    latent_weight: float = option(0.5, "weight of the latents' error on made pictures", low=0, high=1e3)
    pull_weight: float = option(0.05, "weight of staying where latents are, on photos", low=0, high=1e3)
    seed: int = option(42, "of pictures and the first weights", low=0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def loop(self) -> LoopConfig:
        """What the shared loop is told."""
        return LoopConfig(learning_rate=self.learning_rate, warm_up=50, decay_after=2000, seed=self.seed)


@dataclass(frozen=True)
class InvertConfig:
    """How latents of a photo are looked for."""

    steps: int = option(150, "steps of the optimiser", low=0, high=10_000)
    learning_rate: float = option(0.05, "rate of Adam on the latents", low=1e-8, high=10)
    pull_weight: float = option(0.1, "weight of staying near the first guess", low=0, high=1e3)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class GeneratorPreset:
    """A size and how it is trained, with the pictures to be seen."""

    size: GeneratorSize = field(default_factory=GeneratorSize)
    training: GanConfig = field(default_factory=GanConfig)
    pictures: int = option(300_000, "real pictures seen in a whole run, repeats counted", unit="pictures", low=1)

    def __post_init__(self) -> None:
        check(self)

    @property
    def steps(self) -> int:
        """Steps of a whole run."""
        return -(-self.pictures // self.training.batch)
