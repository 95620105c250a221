"""Settings of a training run that change what it learns: a run resumes only with the ones it began with."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.errors import ConfigError


@dataclass(frozen=True)
class LoopConfig:
    """How the optimiser walks. How long and how often it saves is told to `run`, as it changes no weight.

    learning_rate: peak rate of AdamW.
    warm_up: steps over which the rate rises from 0 to its peak.
    decay_after: steps after which the rate falls as 1 / sqrt(step); 0 keeps it constant.
    weight_decay: AdamW's.
    beta2: AdamW's second moment; 0.99 follows a short run better than 0.999.
    clip_norm: largest norm of the whole gradient.
    ema_width: width of the averaged weights' window over the time trained; 0 keeps no average.
    accumulation: losses summed before each step of the optimiser.
    seed: of noise, order and dropout.
    """

    learning_rate: float = 4e-4
    warm_up: int = 500
    decay_after: int = 5000
    weight_decay: float = 0.01
    beta2: float = 0.99
    clip_norm: float = 1.0
    ema_width: float = 0.10
    accumulation: int = 1
    seed: int = 42

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name}: expected {low:g} to {high:g}, found {value}")


_RANGES = (
    ("learning_rate", 1e-8, 1.0),
    ("warm_up", 0, 10**6),
    ("decay_after", 0, 10**9),
    ("weight_decay", 0, 1),
    ("beta2", 0.5, 0.99999),
    ("clip_norm", 1e-6, 1e6),
    ("ema_width", 0, 0.28),
    ("accumulation", 1, 10**4),
)
