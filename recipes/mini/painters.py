"""Pictures for the figures: the weights as they are shipped, in half precision, drawn in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from portraitist.progress import Report, Step, silent
from portraitist.training.checkpoint import checkpoints
from portraitist.types import Image
from recipes.mini.base import BaseTrainee, load_average
from recipes.mini.command import RunFolder
from recipes.mini.controls import build_control, conditions_of
from recipes.mini.samples import Sample
from recipes.mini.sampling import Draw, draw

BATCH = 16
Module = TypeVar("Module", bound=nn.Module)


def paint_by_text(base: BaseTrainee, captions: Sequence[str], seed: int, *, report: Report = silent) -> list[Image]:
    """One picture a caption; picture i depends on the seed and i."""
    networks = as_shipped(base.module)
    images: list[Image] = []
    for start in range(0, len(captions), BATCH):
        images += draw(base, networks, Draw(captions[start : start + BATCH], seed=seed, first=start))
        report(Step("draw", len(images), len(captions)))
    return images


def paint_over_conditions(
    base: BaseTrainee,
    folder: RunFolder,
    name: str,
    landmarks: NDArray[np.float32],
    pictures: NDArray[np.uint8],
) -> list[Image]:
    """One picture a condition, steered by the run's control of that name."""
    networks = as_shipped(base.module)
    control = build_control(base.config)
    load_average(control, checkpoints(folder.control(name))[-1])
    as_shipped(control)
    images: list[Image] = []
    for start in range(0, len(pictures), BATCH):
        part = slice(start, start + BATCH)
        samples = [Sample(i, m, "portrait") for i, m in zip(pictures[part], landmarks[part], strict=True)]
        conditions = conditions_of(name, samples)
        asked = Draw(["portrait"] * len(samples), seed=3, first=start, conditions=conditions)
        images += draw(base, networks, asked, control)
    return images


def as_shipped(module: Module) -> Module:
    """Rounded to half precision, computing in float32, in eval mode."""
    return module.half().float().eval()
