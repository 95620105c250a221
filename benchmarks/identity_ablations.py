"""Ways of learning that are compared: what each ablation changes of the product's own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from portraitist.diffusion.base_row import Base, LoraTarget
from portraitist.diffusion.bases import ATTENTION, BASES, FEED_FORWARD
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
    mask. modules: of portrait-mini's denoiser that learn, guidance: that it draws with; None as in the table of
    bases."""

    config: IdentityConfig = field(default_factory=IdentityConfig)
    painted: bool = False
    modules: tuple[str, ...] | None = None
    guidance: float | None = None

    def base(self) -> Base:
        """The row of portrait-mini, changed so."""
        row = BASES["mini"]
        lora = row.lora if self.modules is None else (LoraTarget("unet", self.modules), *row.lora[1:])
        guidance = row.sampling.guidance_scale if self.guidance is None else self.guidance
        return replace(row, lora=lora, sampling=replace(row.sampling, guidance_scale=guidance))


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
        "modules": {
            "attention, feed-forward, convolutions": Way(usual),
            "attention": Way(usual, modules=ATTENTION),
            "attention, feed-forward": Way(usual, modules=(*ATTENTION, *FEED_FORWARD)),
        },
        "guidance": {f"guidance {scale:g}": Way(usual, guidance=scale) for scale in (2.5, 1.4, 2.0, 3.0)},
        "steps": {"800 steps": Way(replace(usual, steps=800, check_every=100, patience=TO_THE_END))},
        "rate": curve,
    }
    return table[ablation]


ABLATIONS = ("flips", "mask-painted", "rank", "prior", "reward", "steps", "rate", "modules", "guidance")


@contextmanager
def learning(way: Way) -> Iterator[None]:
    """While it lasts, `tasks.train` learns this way and portrait-mini draws so. Raises EngineError when a change was
    never asked for."""
    made: list[TrainingPhoto] = []
    photo = _painted(dataset.training_photo, made) if way.painted else dataset.training_photo
    with mock.patch.object(dataset, "training_photo", photo), mock.patch.dict(BASES, mini=way.base()):
        yield
    if way.painted and not made:
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
