"""Training of a student: pairs in, a painter's network out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from portraitist.errors import ConfigError, InputError
from portraitist.stylize.domain import Domain
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import StudentConfig
from portraitist.stylize.student.critic import PatchCritic
from portraitist.stylize.student.examples import Examples, draw_crops, draw_examples
from portraitist.stylize.student.losses import (
    Features,
    critic_loss,
    gradient_loss,
    lattice_loss,
    mask_loss,
    perceptual_loss,
    persuasion_loss,
    pixel_loss,
)
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.tones import tone_chances
from portraitist.training.checkpoint import checkpoints, unpacked
from portraitist.types import derive


class StudentTrainee:
    """Student and critic with the pairs they learn from, for `training.loop.run`.

    Both networks are one module with one loss: the student's terms give the critic no gradient, and the critic's the
    student none, so one step of the optimiser is a step of each. features: needed when `config.perceptual` is not 0.
    drawings: what the critic takes for real instead of the pairs' paintings, which a translator may have left blurred.
    Raises ConfigError without features to compare; InputError when masks are asked for and the pairs have none.
    """

    rates: Mapping[str, float] = {}

    def __init__(
        self,
        pairs: PairFolder,
        config: StudentConfig,
        features: Features | None = None,
        *,
        drawings: Domain | None = None,
    ) -> None:
        if config.perceptual and features is None:
            raise ConfigError("student: perceptual expects a trained network's features, found none; set it to 0")
        if config.has_mask and not pairs.has_masks:
            raise InputError(f"{pairs.path}: expected a mask for each pair, found some without; set has_mask to false")
        self.pairs, self.config, self._features, self.drawings = pairs, config, features, drawings
        with torch.random.fork_rng():
            torch.manual_seed(derive(config.seed, 0))
            networks: dict[str, nn.Module] = {"student": StudentNetwork(config.size)}
            if config.adversarial:
                networks["critic"] = PatchCritic()
        self.module: nn.Module = nn.ModuleDict(networks)
        self._digest = pairs.digest
        photos = (pairs[place].photo for place in range(len(pairs)))
        self._chances = tone_chances(photos) if config.even_tones else None

    @property
    def student(self) -> StudentNetwork:
        """The network that learns to paint, without its critic."""
        return cast(StudentNetwork, cast(nn.ModuleDict, self.module)["student"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        learned = {name: value for name, value in asdict(self.config).items() if name not in ("steps", "seed")}
        real = {} if self.drawings is None else {"drawings": self.drawings.digest}
        return {"student": learned, "pairs": self._digest, **real}

    def loss(self, step: int) -> Tensor:
        """Of one batch, drawn from the seed and the step."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            return self._told(step).float()

    def _told(self, step: int) -> Tensor:
        config, rng = self.config, np.random.default_rng([self.config.seed, step])
        batch = draw_examples(self.pairs, config.batch, config.side, rng, augment=config.augment, chances=self._chances)
        features = self.student.features(batch.photos)
        # Half precision would round colours to about a grey level each: the very lattice that is to be told.
        with torch.autocast("cpu", enabled=False):
            painted, logits = self.student.unfolded(features.float(), batch.photos)
        total = self._supervised(painted, logits, batch, eased(step, config.ease))
        if config.adversarial:
            critic = cast(PatchCritic, cast(nn.ModuleDict, self.module)["critic"])
            total = total + config.adversarial * persuasion_loss(critic, painted)
            total = total + critic_loss(critic, painted, self._real(batch, rng), config.edges)
        return total

    def _real(self, batch: Examples, rng: np.random.Generator) -> Tensor:
        """What the critic is shown as real: the pairs' paintings, or as many drawings, cut as they are."""
        if self.drawings is None:
            return batch.painted
        return draw_crops(self.drawings, self.config.batch, self.config.side, rng, augment=self.config.augment)

    def _supervised(self, painted: Tensor, logits: Tensor | None, batch: Examples, part: float) -> Tensor:
        total = self.config.pixel * pixel_loss(painted, batch.painted)
        if self.config.gradient and part:
            total = total + part * self.config.gradient * gradient_loss(painted, batch.painted)
        if self.config.lattice and part:
            total = total + part * self.config.lattice * lattice_loss(painted)
        if self.config.perceptual and self._features is not None:
            total = total + self.config.perceptual * perceptual_loss(self._features, painted, batch.painted)
        if logits is not None and batch.masks is not None:
            total = total + mask_loss(logits, batch.masks)
        return total


def eased(step: int, ease: int) -> float:
    """How much the losses of steps weigh: told from the first step, they keep a fresh student at a tinted photo, whose
    steps are those of a picture and which has no blocks.

    >>> eased(0, 1000), eased(1500, 1000), eased(5000, 1000), eased(0, 0)
    (0.0, 0.5, 1.0, 1.0)
    """
    return min(1.0, max(0.0, step / ease - 1)) if ease else 1.0


def trained_student(folder: Path, config: StudentConfig) -> StudentNetwork:
    """The averaged weights of the run's newest checkpoint. Raises InputError when there is none, or of another size."""
    found = checkpoints(folder)
    if not found:
        raise InputError(f"{folder}: expected a checkpoint of a student, found none; train one first")
    tensors = unpacked(found[-1].read_bytes()).tensors
    start = "average.student."
    network = StudentNetwork(config.size).eval()
    found_weights = {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
    try:
        network.load_state_dict(found_weights)
    except RuntimeError as error:
        raise InputError(f"{folder}: expected a student of the tier {config.tier}, found another size") from error
    return network
