"""How portraits are drawn. What a base does by default is written in the table of bases; None here means that."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option


@dataclass(frozen=True)
class DrawConfig:
    """Drawing portraits from words."""

    num_steps: int | None = option(None, "steps of the sampler; none: the style's or the base's", low=1, high=200)
    guidance_scale: float | None = option(
        None, "how closely the words are followed; none: the style's or the base's", low=0, high=30
    )
    identity_weight: float = option(1.0, "weight of the sitter's LoRA", low=0, high=2)
    batch: int = option(8, "portraits drawn together", unit="portraits", low=1, high=64)

    def __post_init__(self) -> None:
        check(self)


DEFAULT_DRAW = DrawConfig()
