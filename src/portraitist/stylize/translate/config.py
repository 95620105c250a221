"""Settings of a translator: how large it is, how it keeps the person and the background, how long it learns."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.training.config import LoopConfig

KEEPERS = ("region", "mask", "none")


@dataclass(frozen=True)
class TranslatorSize:
    """How large the networks are. The translator works at 1, 1/2 and 1/4 of the side, `width` to 4 x `width` wide."""

    side: int = option(96, "side of the pictures", unit="px", low=32, high=512)
    width: int = option(24, "channels at the full side", low=4, high=128)
    encoder_blocks: int = option(2, "residual blocks before the attention", low=0, high=8)
    decoder_blocks: int = option(2, "residual blocks after it, whose normalisation it steers", low=1, high=8)
    critic_width: int = option(24, "channels of the critics' first layer", low=4, high=128)

    def __post_init__(self) -> None:
        check(self)
        if self.side % 32:
            raise ConfigError(f"TranslatorSize.side: expected a multiple of 32, found {self.side}")


@dataclass(frozen=True)
class TranslateConfig:
    """How two translators, photo to style and back, learn from unpaired pictures.

    A run goes on only with the settings it was begun with. `keeper`, `background`, `colour`, `eyes` and `likeness`
    are the knob between the person and the style: the larger their weights, the more of the photo stays.
    """

    keeper: str = option(
        "region", "how the background stays: constrained outside the head, or by a mask", choices=KEEPERS
    )
    background: float = option(
        10.0, "weight of the photo's pixels outside the head, or of the mask there", low=0, high=1000
    )
    likeness: float = option(1.0, "weight of a frozen network's features of the face", low=0, high=1000)
    colour: float = option(10.0, "weight of the head's coarse colours staying the photo's", low=0, high=1000)
    eyes: float = option(5.0, "weight of light and dark in eyes and mouth following the photo's", low=0, high=1000)
    hints: float = option(10.0, "weight of stage 1's pairs, where there are some", low=0, high=1000)
    cycle: float = option(10.0, "weight of there and back again; 0: no way back is learned", low=0, high=1000)
    itself: float = option(10.0, "weight of a picture of the style staying as it is", low=0, high=1000)
    attention: float = option(10.0, "weight of the attention's own classifier", low=0, high=10_000)
    edges: float = option(0.5, "weight, for the critics, of drawings whose edges were softened", low=0, high=100)
    jitter: float = option(
        0.06, "part of the side by which pictures are moved and scaled as they are drawn", low=0, high=0.3
    )
    even_tones: bool = option(True, "photos of dark and of light faces are drawn equally often")
    batch: int = option(2, "pictures of each side a step", low=1, high=256)
    learning_rate: float = option(2e-4, "rate of Adam", low=1e-8, high=1)
    seed: int = option(42, "of pictures and the first weights", low=0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def loop(self) -> LoopConfig:
        """What the shared loop is told: a constant rate, no clipping worth the name."""
        return LoopConfig(
            learning_rate=self.learning_rate, warm_up=0, decay_after=0, weight_decay=1e-4, clip_norm=1e6, seed=self.seed
        )


@dataclass(frozen=True)
class TranslatePreset:
    """A size, how it is trained, and for how many steps."""

    size: TranslatorSize = field(default_factory=TranslatorSize)
    training: TranslateConfig = field(default_factory=TranslateConfig)
    steps: int = option(14_000, "steps of a whole run", low=1)

    def __post_init__(self) -> None:
        check(self)


PRESETS = {
    "tiny": TranslatePreset(
        TranslatorSize(side=32, width=4, encoder_blocks=1, decoder_blocks=1, critic_width=4),
        TranslateConfig(batch=1),
        2,
    ),
    "cpu": TranslatePreset(),
    "gpu": TranslatePreset(TranslatorSize(side=128, width=20), TranslateConfig(batch=16), 4_000),
}
"""`tiny` is for tests. `cpu`: 0.70 G multiply-adds a picture; a step took 0.98 s of one core, so the run is 3.8
hours of one. `gpu`: 0.88 G, meant for one call of ten minutes; it was not run."""
