"""Training of the detector: batches of crops, the loss, and how the whole faces that were held back fare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from portraitist.errors import InputError
from portraitist.marks.found import FoundMark
from portraitist.marks.labelled import LabelledFolder, LabelledView
from portraitist.marks.network_config import (
    MULTIPLE,
    SHIPPED_SIZE,
    MarkNetworkConfig,
    MarkNetworkSize,
    MarkTrainingConfig,
)
from portraitist.marks.network_crops import draw_batch
from portraitist.marks.network_decoding import activated, decode
from portraitist.marks.network_input import padded, prepared
from portraitist.marks.network_layers import MarkNetwork
from portraitist.marks.network_losses import map_losses
from portraitist.marks.scoring import Score, score
from portraitist.marks.view import SkinView
from portraitist.types import derive

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
CROPS_A_VIEW = 4
"""A view is decoded once for so many crops of a batch."""


class MarkTrainee:
    """The network with the views it learns from, for `training.loop.run`.

    start: weights to begin from, by parameter name; the same size of network.
    Raises InputError without any view to learn from.
    """

    rates: Mapping[str, float] = {}

    def __init__(
        self,
        views: LabelledFolder,
        config: MarkTrainingConfig,
        size: MarkNetworkSize = SHIPPED_SIZE,
        *,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        if not len(views):
            raise InputError("training: expected labelled views to learn from, found none; annotate photos first")
        self.views, self.config, self.size = views, config, size
        with torch.random.fork_rng():
            torch.manual_seed(derive(config.seed, 0))
            self.module: nn.Module = MarkNetwork(size)
        if start is not None:
            self.module.load_state_dict(dict(start))
        self._began = "nothing" if start is None else _digest_of(start)
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="crops")
        self._next: tuple[int, Future[Batch]] | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a resumed run must share."""
        names = hashlib.sha256("\n".join(path.name for path in self.views.paths).encode()).hexdigest()
        size = {**asdict(self.size), "widths": list(self.size.widths)}
        shape = {"batch": self.config.batch, "crop": self.config.crop}
        return {"network": size, "views": names, "began_from": self._began, **shape}

    def loss(self, step: int) -> Tensor:
        """Of one batch, drawn from the seed and the step."""
        inputs, maps, weights = (torch.from_numpy(array) for array in self._taken(step))
        total: Tensor = map_losses(self.module(inputs), maps, weights).total
        return total

    def _taken(self, step: int) -> Batch:
        """The batch of a step, while that of the next one is being drawn. Which thread draws it changes nothing."""
        known, future = self._next or (None, None)
        batch = future.result() if future is not None and known == step else self.batch(step)
        self._next = step + 1, self._ahead.submit(self.batch, step + 1)
        return batch

    def batch(self, step: int) -> Batch:
        """The arrays of one step, as `draw_batch` gives them."""
        rng = np.random.default_rng([self.config.seed, step])
        count = -(-self.config.batch // CROPS_A_VIEW)
        items = [self.views[index] for index in rng.integers(len(self.views), size=count)]
        return draw_batch(items, self.config.batch, self.config.crop, rng)


def maps_of(network: nn.Module, view: SkinView) -> NDArray[np.float32]:
    """What the network, as it is in training, gives for a whole view: maps for `decode`."""
    inputs = torch.from_numpy(padded(prepared(view.pixels, view.skin), MULTIPLE)[None])
    with torch.no_grad():
        raw: NDArray[np.float32] = network(inputs)[0].numpy()
    return activated(raw)


def marks_of(network: nn.Module, view: SkinView, config: MarkNetworkConfig) -> list[FoundMark]:
    """What it finds there."""
    return decode(maps_of(network, view), view.skin, config)


def measure(network: nn.Module, views: Iterable[LabelledView], config: MarkNetworkConfig) -> Score:
    """How the network does on whole views."""
    return sum((score(marks_of(network, item.view, config), item) for item in views), start=Score())


def held_back(views: Sequence[str], share: float) -> set[str]:
    """Names to measure on: that share of them, at least one, in an order that looks random and depends on each name
    alone, so that with a few more names few change sides. None of a single name."""
    names = sorted(set(views), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return set(names[: max(1, round(share * len(names)))]) if len(names) > 1 else set()


def _digest_of(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].detach().numpy().tobytes())
    return digest.hexdigest()
