"""How an identity is learned. What a base does by default is written in the table of bases; None here means that."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.diffusion.base_row import PRESETS
from portraitist.options import check, option


@dataclass(frozen=True)
class IdentityConfig:
    """Training of a sitter's LoRA on one base."""

    preset: str | None = option(None, "memory preset, see 'portraitist bases'; none: by the device", choices=PRESETS)
    prior: str | None = option(None, "LoRA file that training begins from; none: from nothing")
    rank: int | None = option(None, "rank of the LoRA; none: the base's default", low=1, high=512)
    alpha: float | None = option(None, "LoRA alpha; none: the base's default", low=0.01, high=1024)
    learning_rate: float | None = option(None, "peak rate of the optimiser; none: the base's default", low=1e-7, high=1)
    text_learning_rate: float | None = option(
        None, "rate of the text encoder, 0 leaves it as it is; none: the base's default", low=0, high=1
    )
    steps: int | None = option(None, "steps of the optimiser; none: by the base and the album", low=1, high=100_000)
    batch: int | None = option(None, "pictures a forward pass; none: the base's default", low=1, high=256)
    accumulation: int | None = option(None, "passes a step; none: the base's default", low=1, high=256)
    check_every: int = option(100, "steps between checkpoints with validation portraits", unit="steps", low=1)
    template_previews: bool = option(True, "validation portraits in two templates too; base mini only")
    flip: bool = option(False, "also learn from mirrored photos; it mirrors moles and partings")
    hair_weight: float = option(1.0, "weight of hair in the loss; the face weighs 1", low=0, high=1)
    background_weight: float = option(0.05, "weight of background and clothes in the loss", low=0, high=1)
    caption_drop: float = option(0.1, "share of samples with the trigger alone for a caption", low=0, high=1)
    patience: int = option(3, "checkpoints without a better likeness before stopping", unit="checkpoints", low=1)
    reward: str = option(
        "none", "likeness: then draw, keep the likest portraits and learn from them too", choices=("none", "likeness")
    )
    reward_rounds: int = option(3, "rounds of that stage", low=1, high=50)
    reward_drawn: int = option(8, "portraits a round for each validation prompt; a quarter is learned from", low=4)
    reward_steps: int = option(40, "steps a round, half on portraits and half on the album", unit="steps", low=1)
    reward_rate: float = option(0.3, "factor of the learning rate in that stage", low=0.001, high=1)
    seed: int = option(42, "of noise, order and dropout", low=0)

    def __post_init__(self) -> None:
        check(self)
