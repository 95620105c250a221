"""A person keeps the good samples, and the next ones are drawn around what was kept; or training goes on with them.

Only indices are stored: the samples of a round follow from the seed and from what was kept before.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from portraitist.errors import InputError
from portraitist.library import read_json, write_json
from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.generator.generator_file import Origin, TrainedGenerator
from portraitist.stylize.generator.sample import mean_latent, pictures_of, sample_latents
from portraitist.stylize.generator.transfer import digest_of
from portraitist.types import derive

SHOWN = 24
PSI = 0.8
FRESH = 0.3
"""How far a child of two kept samples goes towards a new one."""


class PickingTable:
    """Rounds of samples, and what was kept of each. file: where the choice is kept (JSON). Calls may come from several
    threads.

    Raises InputError when the file is about another generator.
    """

    def __init__(self, trained: TrainedGenerator, file: Path, *, seed: int = 0) -> None:
        self.trained, self.file = trained, file
        self._lock = threading.Lock()
        self._rounds: dict[int, Tensor] = {}
        digest = digest_of(trained.generator)
        state: dict[str, Any] = read_json(file) if file.is_file() else {"generator": digest, "seed": seed, "kept": [[]]}
        if state.get("generator") != digest:
            raise InputError(f"{file}: the picks of another generator; choose another file, or that generator")
        self.seed, self._kept = int(state["seed"]), [list(map(int, kept)) for kept in state["kept"]]
        self._digest = digest

    @property
    def round(self) -> int:
        """Number of the present round, from 0."""
        return len(self._kept) - 1

    @property
    def kept(self) -> tuple[int, ...]:
        """What is kept of the present round."""
        return tuple(self._kept[-1])

    @property
    def kept_in_all(self) -> int:
        """Samples kept in all rounds."""
        return sum(map(len, self._kept))

    def pictures(self) -> NDArray[np.uint8]:
        """(SHOWN, side, side, 3) of the present round."""
        with self._lock:
            return pictures_of(self.trained.generator, self._latents(self.round))

    def keep(self, round: int, indices: Sequence[int]) -> None:
        """Keep these of the present round, and no others. Raises InputError for another round or unknown samples."""
        with self._lock:
            self._check(round)
            if not all(isinstance(i, int) and 0 <= i < SHOWN for i in indices):
                raise InputError(f"picks: expected numbers from 0 to {SHOWN - 1}, found {list(indices)}")
            self._kept[-1] = sorted(set(indices))
            self._save()

    def go_on(self, round: int) -> None:
        """Begin the next round. Raises InputError when the round named is not the present one (a second click)."""
        with self._lock:
            self._check(round)
            self._kept.append([])
            self._save()

    def kept_latents(self) -> Tensor:
        """(n, latents, latent) of everything kept, oldest first."""
        with self._lock:
            return self._kept_before(len(self._kept))

    def domain(self, name: str) -> Domain:
        """What was kept, as a domain to transfer to. Raises InputError when nothing was."""
        latents = self.kept_latents()
        if not len(latents):
            raise InputError(f"{self.file}: expected kept samples, found none; keep some on the page first")
        names = tuple(f"{name}-{i}" for i in range(len(latents)))
        return Domain(name, pictures_of(self.trained.generator, latents), names, _note(name, self.trained.origin))

    def _check(self, round: int) -> None:
        if round != self.round:
            raise InputError(f"picks: round {round} is over, the present one is {self.round}; load the page again")

    def _save(self) -> None:
        write_json(self.file, {"generator": self._digest, "seed": self.seed, "kept": self._kept})

    def _kept_before(self, end: int) -> Tensor:
        size = self.trained.size
        parts = [self._latents(number)[kept] for number, kept in enumerate(self._kept[:end]) if kept]
        return torch.cat(parts) if parts else self._mean.new_zeros(0, size.latents, size.latent)

    @cached_property
    def _mean(self) -> Tensor:
        return mean_latent(self.trained.generator)

    def _latents(self, number: int) -> Tensor:
        if number not in self._rounds:
            fresh = sample_latents(self.trained.generator, SHOWN, seed=derive(self.seed, number), psi=PSI)
            parents = self._kept_before(number)
            self._rounds[number] = fresh if not len(parents) else self._children(parents, fresh, number)
        return self._rounds[number]

    def _children(self, parents: Tensor, fresh: Tensor, number: int) -> Tensor:
        """Between two kept samples, another mixture at each place, and a little of something new."""
        drawn = torch.Generator().manual_seed(derive(self.seed, number) + 1)
        pairs = torch.randint(len(parents), (2, SHOWN), generator=drawn)
        mixture = torch.rand(SHOWN, self.trained.size.latents, 1, generator=drawn).to(fresh)
        return parents[pairs[0]].lerp(parents[pairs[1]], mixture) + FRESH * (fresh - self._mean)


def _note(name: str, origin: Origin) -> DomainNote:
    """Made pictures carry what their generator learned from."""
    licences = ", ".join(dict.fromkeys(note.licence for note in origin.learned))
    people = ", ".join(dict.fromkeys(note.attribution for note in origin.learned if note.attribution))
    return DomainNote(f"kept samples: {name}", licences, people, noncommercial=origin.noncommercial)
