"""Ways of learning that are compared: what each ablation changes of the product's own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from portraitist.errors import EngineError
from portraitist.identity import dataset
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto

COUNTED = 0.5
"""Where the loss weighs less than this the painted photo is white."""
TO_THE_END = 100_000
"""A patience that never stops a run early: its whole curve is wanted."""
RATES = (1e-4, 3e-4, 1e-3, 2e-3)


@dataclass(frozen=True)
class Way:
    """config: of the training. painted: photos painted white around the head, every pixel counting, instead of a loss
    mask."""

    config: IdentityConfig = field(default_factory=IdentityConfig)
    painted: bool = False


def ways(ablation: str, prior: Path) -> Mapping[str, Way]:
    """The ways an ablation compares, by label; the first is what the others are held against."""
    usual = IdentityConfig()
    # The text encoder keeps its part of the rate, as in the table of bases.
    rates = {f"rate {rate:g}": replace(usual, learning_rate=rate, text_learning_rate=rate / 2) for rate in RATES}
    curve = {label: Way(replace(c, steps=400, check_every=100, patience=TO_THE_END)) for label, c in rates.items()}
    table: Mapping[str, Mapping[str, Way]] = {
        "flips": {"no flips": Way(usual), "flips": Way(replace(usual, flip=True))},
        "mask-painted": {"loss mask": Way(usual), "painted white": Way(usual, painted=True)},
        "rank": {f"rank {rank}": Way(replace(usual, rank=rank)) for rank in (16, 4, 64)},
        "reward": {"no reward": Way(usual), "reward": Way(replace(usual, reward="likeness"))},
        "prior": {"from nothing": Way(usual), "from real faces": Way(replace(usual, prior=str(prior)))},
        "steps": {"800 steps": Way(replace(usual, steps=800, check_every=100, patience=TO_THE_END))},
        "rate": curve,
    }
    return table[ablation]


ABLATIONS = ("flips", "mask-painted", "rank", "prior", "reward", "steps", "rate")


@contextmanager
def learning(way: Way) -> Iterator[None]:
    """While it lasts, `tasks.train` learns this way. Raises EngineError when a change was never asked for by it."""
    if not way.painted:
        yield
        return
    made: list[TrainingPhoto] = []
    with mock.patch.object(dataset, "training_photo", _painted(dataset.training_photo, made)):
        yield
    if not made:
        raise EngineError("ablation: expected tasks.train to learn from painted photos, it made none")


def _painted(make: Callable[..., TrainingPhoto], made: list[TrainingPhoto]) -> Callable[..., TrainingPhoto]:
    def training_photo(*args: Any, **options: Any) -> TrainingPhoto:
        made.append(painted_white(make(*args, **options)))
        return made[-1]

    return training_photo


def painted_white(photo: TrainingPhoto) -> TrainingPhoto:
    """White where the loss hardly counts, and every pixel counting the same."""
    image = np.where(photo.weight[..., None] < COUNTED, 255, photo.image).astype(np.uint8)
    return replace(photo, image=image, weight=np.ones_like(photo.weight))
