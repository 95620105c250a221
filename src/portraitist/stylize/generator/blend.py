"""Generators blended level by level: coarse levels (shape, pose) from the source, fine ones (drawing, colour) from a
style, or the other way round. It works because the style learned on from the source's weights.

Source of the idea: Pinkney and Adler 2020, "Resolution Dependent GAN Interpolation for Controllable Image Synthesis
Between Domains".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from portraitist.errors import ConfigError, InputError
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.generator_file import TrainedGenerator


@dataclass(frozen=True)
class Curve:
    """How much of a style each level takes: `strength` from the side `swap_side` on, none below.

    softness: in doublings of the side; 0 is a hard swap, larger ones go over smoothly (half the strength halfway
    between `swap_side` and the side before). coarse: the other way round, the style below and the source above.

    >>> Curve(swap_side=16)(8), Curve(swap_side=16)(16)
    (0.0, 1.0)
    """

    swap_side: float = 16
    softness: float = 0.0
    strength: float = 1.0
    coarse: bool = False

    def __post_init__(self) -> None:
        if self.swap_side <= 0 or self.softness < 0 or not 0 <= self.strength <= 1:
            raise ConfigError(f"{self}: expected swap_side above 0, softness of at least 0, strength from 0 to 1")

    def __call__(self, side: int) -> float:
        """The style's weight at the level of that side, 0 to 1."""
        beyond = math.log2(side) - math.log2(self.swap_side) + 0.5
        if self.softness == 0:
            part = 1.0 if beyond > 0 else 0.0
        else:
            part = 1 / (1 + math.exp(-max(-60.0, min(60.0, 4 * beyond / self.softness))))
        return self.strength * (1 - part if self.coarse else part)


def blend(
    source: TrainedGenerator, styles: Sequence[tuple[TrainedGenerator, Curve]], *, mapping: float = 0.0
) -> TrainedGenerator:
    """One generator of the source and one or more styles. Where the styles' weights sum to more than 1 they share it;
    the source takes what is left. mapping: weight of the styles' mapping, shared alike; 0 keeps the source's people.

    Raises InputError when the sizes differ.
    """
    for style, _ in styles:
        if style.size != source.size:
            raise InputError(f"blend: expected generators of one size, found {source.size} and {style.size}")
    blended = copy.deepcopy(source.generator)
    own = source.generator.state_dict()
    others = [style.generator.state_dict() for style, _ in styles]
    with torch.no_grad():
        for name, value in blended.state_dict().items():
            weights = level_weights(name, source.size, [curve for _, curve in styles], mapping)
            value.copy_(_mixed(own[name], [other[name] for other in others], weights))
    told = f"blended with {', '.join(style.origin.learned[-1].title for style, _ in styles)}"
    learned = [note for style, _ in styles for note in style.origin.learned]
    return TrainedGenerator(blended, source.origin.then(told, *learned))


def level_weights(name: str, size: GeneratorSize, curves: Sequence[Curve], mapping: float = 0.0) -> list[float]:
    """Each style's weight for the tensor of that name, their sum at most 1."""
    parts = name.split(".")
    if parts[0] == "mapping":
        wanted = [mapping / max(len(curves), 1)] * len(curves)
    else:
        side = size.sides[int(parts[2])] if parts[1] == "levels" else 4
        wanted = [curve(side) for curve in curves]
    total = max(sum(wanted), 1.0)
    return [weight / total for weight in wanted]


def _mixed(own: Tensor, others: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    mixed = own * (1 - sum(weights))
    for other, weight in zip(others, weights, strict=True):
        mixed = mixed + other * weight
    return mixed


def family(trained: Mapping[str, TrainedGenerator], weights: Mapping[str, float]) -> TrainedGenerator:
    """Whole generators averaged with weights that sum to 1: a style between styles."""
    total = sum(weights.values())
    if set(weights) != set(trained) or not math.isclose(total, 1.0, abs_tol=1e-6):
        raise ConfigError(f"family: expected a weight for each of {', '.join(trained)}, summing to 1; found {weights}")
    (first, *rest) = trained
    curves = [(trained[name], Curve(swap_side=1, strength=weights[name])) for name in rest]
    return blend(trained[first], curves, mapping=sum(weights[name] for name in rest))
