"""A domain and a trainee small enough for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.generator_file import Origin, TrainedGenerator
from portraitist.stylize.generator.networks import Discriminator, Generator
from portraitist.stylize.generator.presets import TINY
from portraitist.stylize.generator.training import GanTrainee

NOTE = DomainNote("Drawn discs", "CC0")


def discs(count: int = 24, side: int = 16, name: str = "discs", seed: int = 0) -> Domain:
    """Discs of some colour on a ground of another."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / (side - 1) - 0.5
    images = np.empty((count, side, side, 3), np.uint8)
    for image in images:
        inside = np.hypot(x, y) < rng.uniform(0.2, 0.45)
        image[:] = np.where(inside[..., None], rng.integers(0, 256, 3), rng.integers(0, 256, 3))
    return Domain(name, images, tuple(str(i) for i in range(count)), NOTE)


def trainee(**changes: object) -> GanTrainee:
    """A tiny one on discs."""
    return GanTrainee(discs(), TINY.size, replace(TINY.training, **changes))  # type: ignore[arg-type]


def trained(seed: int = 0, size: GeneratorSize = TINY.size) -> TrainedGenerator:
    """Networks with the weights they begin with, by seed."""
    torch.manual_seed(seed)
    return TrainedGenerator(Generator(size).eval(), Origin((NOTE,)), Discriminator(size).eval())
