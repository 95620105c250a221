"""What the shared loop trains: both translators and all critics in one module, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from portraitist.errors import ConfigError
from portraitist.stylize.domain import Domain
from portraitist.stylize.edges import soften_edges
from portraitist.stylize.generator.losses import held
from portraitist.stylize.head_losses import colour_loss, eyes_loss
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.losses import Features
from portraitist.stylize.tones import tone_chances
from portraitist.stylize.translate.config import TranslateConfig, TranslatorSize
from portraitist.stylize.translate.losses import (
    attention_loss,
    hint_loss,
    likeness_loss,
    mask_loss,
    persuade,
    region_loss,
    seen_by_critics,
    tell_apart,
)
from portraitist.stylize.translate.networks import Side, Translated, Translator, TranslatorNetworks
from portraitist.training.config import LoopConfig
from portraitist.types import derive


@dataclass(frozen=True)
class Lessons:
    """What a translator learns from: photos and drawings that are no pairs.

    features: a frozen network's feature maps, needed when the likeness is not 0; the recogniser that likeness is
    measured by has no gradient, so what it is told by is another network, and the measure stays independent of it.
    hints: pairs of a generator and its blend with the style: of nobody, soft, but pairs.
    """

    photos: Domain
    drawings: Domain
    features: Features | None = None
    hints: PairFolder | None = None


class TranslateTrainee:
    """Translators between two domains (training/loop.py's Trainee).

    Raises ConfigError for likeness without features, InputError for a domain of too small a side.
    """

    rates: Mapping[str, float] = {}

    def __init__(
        self,
        lessons: Lessons,
        size: TranslatorSize,
        config: TranslateConfig,
        *,
        device: str = "cpu",
    ) -> None:
        if config.likeness and lessons.features is None:
            raise ConfigError("translator: likeness expects a network's features, found none; set it to 0")
        domains = (lessons.photos, lessons.drawings)
        self.photos, self.drawings = (domain.at(size.side) for domain in domains)
        # Drawn from at twice the side where there is so much: moved pictures stay as sharp as those that were not.
        self._sources = tuple(domain.at(min(2 * size.side, domain.side)) for domain in domains)
        # Drawings stay as frequent as their set has them.
        self._chances = (tone_chances(self.photos.images) if config.even_tones else None, None)
        self.size, self.config, self.device, self._features = size, config, device, lessons.features
        self._hints = lessons.hints if config.hints else None
        self._hints_digest = self._hints.digest if self._hints else ""
        with torch.random.fork_rng():
            torch.manual_seed(derive(config.seed, 0))
            self.networks = TranslatorNetworks(size, config).to(device)
        self.module: nn.Module = self.networks

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        domains = {"photos": self.photos.digest, "drawings": self.drawings.digest}
        hints = {} if self._hints is None else {"hints": self._hints_digest}
        return {"size": asdict(self.size), "translate": asdict(self.config), **domains, **hints}

    def loss(self, step: int) -> Tensor:
        """Of one batch of each domain, drawn from the seed and the step."""
        rng = np.random.default_rng([self.config.seed, step])
        drawn = zip(self._sources, self._chances, strict=True)
        photo, drawing = (self._drawn(domain, chances, rng) for domain, chances in drawn)
        networks = self.networks
        painted, total = self._there_and_back(photo, drawing, networks.to_style, networks.to_photo, networks.of_style)
        total = total + self._kept(photo, painted) + self._doubt(networks.of_style, drawing, painted)
        if self.config.cycle:
            back, there = networks.to_photo, networks.to_style
            unpainted, other = self._there_and_back(drawing, photo, back, there, networks.of_photo)
            total = total + other + self._doubt(networks.of_photo, photo, unpainted)
        if self._hints is not None:
            total = total + self.config.hints * self._hinted(self._hints, step)
        if self.config.edges:
            soft = networks.of_style(self._seen(soften_edges(drawing)))
            total = total + self.config.edges * torch.stack([answer.square().mean() for answer in soft]).sum()
        return total

    def _doubt(self, critics: Side, real: Tensor, made: Translated) -> Tensor:
        """What critics of a domain are told of its pictures and of made ones."""
        return tell_apart(critics(self._seen(real)), critics(self._seen(made.picture.detach())))

    def _seen(self, pictures: Tensor) -> Tensor:
        return seen_by_critics(pictures, self.config.keeper)

    def _drawn(self, domain: Domain, chances: NDArray[np.float64] | None, rng: np.random.Generator) -> Tensor:
        """(batch, 3, side, side) in [0, 1]: drawn, mirrored by chance, moved and scaled a little."""
        drawn = domain.draw(self.config.batch, rng, chances)
        return self._tensor(jittered(drawn, self.size.side, self.config.jitter, rng))

    def _tensor(self, pictures: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2).float() / 255

    def _hinted(self, hints: PairFolder, step: int) -> Tensor:
        """How far the translator is from what stage 1 draws of its own faces."""
        count, rng = self.config.batch, np.random.default_rng([self.config.seed, step, 1])
        pairs = [hints[int(place)] for place in rng.integers(len(hints), size=count)]
        both = np.stack([np.stack([pair.photo, pair.painted]) for pair in pairs])
        moves = int(rng.integers(2**31))
        photo, drawn = (
            self._tensor(jittered(both[:, side], self.size.side, self.config.jitter, np.random.default_rng([moves])))
            for side in (0, 1)
        )
        return hint_loss(drawn, self.networks.to_style(photo).picture, self.config.keeper)

    def _there_and_back(
        self, source: Tensor, target: Tensor, there: Translator, back: Translator, critics: Side
    ) -> tuple[Translated, Tensor]:
        """The translation of `source`, and what its translator is told (equations 3 to 6)."""
        config, made, same = self.config, there(source), there(target)
        with held(critics):
            total = persuade(critics(self._seen(made.picture)))
        if config.cycle:
            total = total + config.cycle * functional.l1_loss(back(made.picture).picture, source)
        total = total + config.itself * functional.l1_loss(same.picture, target)
        return made, total + config.attention * attention_loss(made.logits, same.logits)

    def _kept(self, photo: Tensor, painted: Translated) -> Tensor:
        """What stays of the photo: its background, its coarse colours, eyes and mouth, and whose face it is."""
        config, total = self.config, photo.new_zeros(())
        if config.keeper == "region" and config.background:
            total = total + config.background * region_loss(photo, painted)
        if config.keeper == "mask":
            total = total + config.background * mask_loss(painted)
        if config.colour:
            total = total + config.colour * colour_loss(photo, painted.picture)
        if config.eyes:
            total = total + config.eyes * eyes_loss(photo, painted.picture)
        if config.likeness and self._features is not None:
            total = total + config.likeness * likeness_loss(self._features, photo, painted.picture)
        return total


def jittered(pictures: NDArray[np.uint8], side: int, amount: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(n, s, s, 3) to (n, side, side, 3): each moved by up to `amount` of its side either way and as much scaled, what
    lies beyond the border mirrored."""
    moved = []
    for picture in pictures:
        size, (scale, *shift) = len(picture), rng.uniform(-amount, amount, 3)
        factor = side / size * (1 + scale)
        # About the middle of the picture, in the convention that pixel centres lie at halves.
        offset = [side / 2 * (1 + 2 * part) - factor * size / 2 + factor / 2 - 0.5 for part in shift]
        matrix = np.array([[factor, 0, offset[0]], [0, factor, offset[1]]])
        moved.append(
            cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        )
    return np.stack(moved).astype(np.uint8)


def adam(groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
    """Adam as in the paper's section 5.1: little momentum, a small decay."""
    betas = (0.5, 0.999)
    return torch.optim.Adam(groups, lr=config.learning_rate, betas=betas, weight_decay=config.weight_decay, fused=True)
