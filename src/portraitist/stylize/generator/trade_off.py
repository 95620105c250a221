"""Identity against richness: the same people through blends from the source to the style, each column measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from portraitist.pages.sheets import contact_sheet
from portraitist.stylize.generator.blend import Curve, blend
from portraitist.stylize.generator.generator_file import TrainedGenerator
from portraitist.stylize.generator.sample import pictures_of, to_tensor
from portraitist.stylize.generator.watch import variety
from portraitist.types import Image

Distance = Callable[[Image, Image], float | None]
"""Between the faces of two pictures; None where one shows no face."""


@dataclass(frozen=True)
class Column:
    """One setting. pictures: (people, side, side, 3). distance: mean to the source's picture of the same latents, None
    where no face was found. seen: people with a face in both. richness: variety of the pictures over the source's."""

    curve: Curve
    pictures: NDArray[np.uint8]
    distance: float | None
    seen: int
    richness: float

    @property
    def caption(self) -> str:
        """For the sheet: from which side on the style is taken, and what it cost."""
        apart = "no face found" if self.distance is None else f"{self.distance:.2f} from the source ({self.seen})"
        way = "below" if self.curve.coarse else "from"
        return f"{self.curve.strength:.2g} {way} {self.curve.swap_side:g} px, soft {self.curve.softness:g}\n{apart}"


def trade_off(
    source: TrainedGenerator, style: TrainedGenerator, latents: Tensor, curves: Sequence[Curve], distance: Distance
) -> list[Column]:
    """A column a curve, for the people of latents (n, latents, latent)."""
    own = pictures_of(source.generator, latents)
    richest = max(variety(to_tensor(own)), 1e-9)
    columns = []
    for curve in curves:
        pictures = pictures_of(blend(source, [(style, curve)]).generator, latents)
        found = [apart for a, b in zip(own, pictures, strict=True) if (apart := distance(a, b)) is not None]
        mean = float(np.mean(found)) if found else None
        columns.append(Column(curve, pictures, mean, len(found), variety(to_tensor(pictures)) / richest))
    return columns


def trade_off_sheet(columns: Sequence[Column], *, cell: int = 128) -> Image:
    """A row a person, a column a setting; the settings are said under the last row."""
    people = len(columns[0].pictures)
    images = [_enlarged(column.pictures[i], cell) for i in range(people) for column in columns]
    blank = [""] * (len(columns) * (people - 1))
    return contact_sheet(images, [*blank, *(c.caption for c in columns)], columns=len(columns), cell=(cell, cell))


def _enlarged(picture: Image, cell: int) -> Image:
    factor = max(1, cell // picture.shape[0])
    return np.asarray(np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1), np.uint8)


def usual_curves(side: int) -> list[Curve]:
    """From the source alone to the style alone: hard swaps from fine to coarse, and a smooth one in the middle."""
    swaps = [Curve(swap) for swap in (side, side // 2, side // 4, side // 8) if swap > 4]
    return [Curve(strength=0.0), *swaps, Curve(side // 4, softness=2.0), Curve(1)]
