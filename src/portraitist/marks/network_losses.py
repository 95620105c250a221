"""What the network's maps lose against their targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from portraitist.marks.network_targets import CENTRES, DIAMETER, OFFSET_X, RIDGE, WIDTH

_LEAST_MARKS = 4.0
"""A batch of fewer marks is not divided by less: its false alarms would count too much."""


@dataclass(frozen=True)
class MapLosses:
    """Scalars. The whole is their weighted sum; the heat maps matter most."""

    centres: Tensor
    offsets: Tensor
    diameters: Tensor
    ridge: Tensor
    overlap: Tensor
    widths: Tensor

    @property
    def total(self) -> Tensor:
        """The loss that is trained on."""
        return self.centres + self.offsets + 0.3 * self.diameters + self.ridge + 0.5 * self.overlap + 0.1 * self.widths


def map_losses(raw: Tensor, maps: Tensor, weights: Tensor) -> MapLosses:
    """raw, maps: (n, CHANNELS, rows, columns), the first with logits. weights: (n, 3, rows, columns), where anything
    counts, where there is a diameter, where there is a width."""
    counts = weights[:, 0]
    heat = maps[:, list(CENTRES)]
    is_centre = (heat == 1) * counts[:, None]
    some = (is_centre.amax(1) > 0).float()
    places = slice(OFFSET_X, OFFSET_X + 2)
    return MapLosses(
        centres=focal(raw[:, list(CENTRES)], heat, counts[:, None]),
        offsets=_mean_gap(torch.sigmoid(raw[:, places]), maps[:, places], some[:, None]),
        diameters=_mean_gap(raw[:, DIAMETER], maps[:, DIAMETER], some * weights[:, 1]),
        ridge=quality_focal(raw[:, RIDGE], maps[:, RIDGE], counts),
        overlap=dice(torch.sigmoid(raw[:, RIDGE]) * counts, maps[:, RIDGE] * counts),
        widths=_mean_gap(raw[:, WIDTH], maps[:, WIDTH], counts * weights[:, 2]),
    )


def focal(logits: Tensor, heat: Tensor, counts: Tensor) -> Tensor:
    """Penalty-reduced focal loss a mark (Zhou et al. 2019, Objects as Points, eq. 1; alpha 2, beta 4)."""
    chance = torch.sigmoid(logits)
    is_centre = heat == 1
    hit = (1 - chance) ** 2 * functional.logsigmoid(logits) * is_centre
    miss = (1 - heat) ** 4 * chance**2 * functional.logsigmoid(-logits) * ~is_centre
    return -((hit + miss) * counts).sum() / (is_centre * counts).sum().clamp_min(_LEAST_MARKS)


def quality_focal(logits: Tensor, heat: Tensor, counts: Tensor) -> Tensor:
    """Cross entropy against a soft target, weighted by the squared gap (Li et al. 2020, eq. 3), a cell of wrinkle."""
    gap = (heat - torch.sigmoid(logits)) ** 2
    entropy = functional.binary_cross_entropy_with_logits(logits, heat, reduction="none")
    return (gap * entropy * counts).sum() / (heat * counts).sum().clamp_min(8 * _LEAST_MARKS)


def dice(chance: Tensor, heat: Tensor) -> Tensor:
    """1 - the soft overlap over the whole batch, squared in the denominator (Milletari et al. 2016, section 3)."""
    overlap = 2 * (chance * heat).sum() + 1
    return 1 - overlap / ((chance**2).sum() + (heat**2).sum() + 1)


def _mean_gap(found: Tensor, wanted: Tensor, where: Tensor) -> Tensor:
    """Mean absolute difference where the weight is 1; 0 where it is nowhere."""
    gaps = (found - wanted).abs() * where
    return gaps.sum() / where.expand_as(gaps).sum().clamp_min(1)
