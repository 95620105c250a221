"""Settings of a training run that change what it learns: a run resumes only with the ones it began with."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option


@dataclass(frozen=True)
class LoopConfig:
    """How the optimiser walks. How long and how often it saves is told to `run`, as it changes no weight."""

    learning_rate: float = option(4e-4, "peak rate of AdamW", low=1e-8, high=1)
    warm_up: int = option(500, "steps over which the rate rises from 0 to its peak", unit="steps", low=0)
    decay_after: int = option(
        5000, "steps after which the rate falls as 1 / sqrt(step); 0 keeps it constant", unit="steps", low=0
    )
    weight_decay: float = option(0.01, "AdamW's", low=0, high=1)
    beta2: float = option(
        0.99, "AdamW's second moment; 0.99 follows a short run better than 0.999", low=0.5, high=0.99999
    )
    clip_norm: float = option(1.0, "largest norm of the whole gradient", low=1e-6, high=1e6)
    ema_width: float = option(
        0.10, "width of the averaged weights' window over the time trained; 0 keeps no average", low=0, high=0.28
    )
    accumulation: int = option(1, "losses summed before each step of the optimiser", low=1, high=10_000)
    seed: int = option(42, "of noise, order and dropout", low=0)

    def __post_init__(self) -> None:
        check(self)
