"""Training samples drawn from a pack: crop, mirror, caption. Sample n of a run depends on the seed and n alone."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import FaceFacts, caption, describe
from portraitist.types import Image
from recipes.mini.config import DataConfig
from recipes.mini.pack import Pack


@dataclass(frozen=True)
class Sample:
    """image: (side, side, 3) uint8 RGB. landmarks: (468, 2) pixels of it."""

    image: Image
    landmarks: NDArray[np.float32]
    caption: str


class Sampler:
    """Draws batches from a pack, each person as often as the next."""

    def __init__(self, pack: Pack, config: DataConfig, side: int, seed: int) -> None:
        self.pack, self.config, self.side, self.seed = pack, config, side, seed
        self._chances = pack.weights / pack.weights.sum()

    def batch(self, step: int, size: int) -> list[Sample]:
        """The batch of one step."""
        random = np.random.default_rng([self.seed, step])
        chosen = random.choice(len(self.pack), size, p=self._chances)
        return [self._sample(int(index), random) for index in chosen]

    def _sample(self, index: int, random: np.random.Generator) -> Sample:
        config, pack = self.config, self.pack
        part = random.uniform(config.least_crop, 1) if random.random() < config.crop_share else 1.0
        image, landmarks = _crop(pack.images[index], pack.landmarks[index], part, self.side, random)
        share = pack.facts[index].face_share
        facts = replace(pack.facts[index], face_share=None if share is None else share / part)
        if random.random() < config.flip_share:
            image, landmarks, facts = _mirror(image, landmarks, facts)
        return Sample(image, landmarks, self._caption(facts, random))

    def _caption(self, facts: FaceFacts, random: np.random.Generator) -> str:
        phrases = [phrase for phrase in describe(facts) if random.random() < self.config.phrase_share]
        random.shuffle(phrases)
        return "" if random.random() < self.config.empty_share else caption(phrases)


def _crop(
    image: Image, landmarks: NDArray[np.float32], part: float, side: int, random: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """A square of `part` of the picture's side around the face, moved by up to a tenth of the room there is."""
    whole = image.shape[0]
    room = 1 - part
    centre = landmarks.mean(axis=0) + random.uniform(-0.1, 0.1, 2) * room
    corner = np.clip(centre - part / 2, 0, room)
    x, y = np.round(corner * whole).astype(int)
    edge = round(part * whole)
    cropped = cv2.resize(image[y : y + edge, x : x + edge], (side, side), interpolation=cv2.INTER_AREA)
    placed = (landmarks * whole - (x, y)) * (side / edge)
    return np.asarray(cropped, np.uint8), placed.astype(np.float32)


def _mirror(
    image: Image, landmarks: NDArray[np.float32], facts: FaceFacts
) -> tuple[Image, NDArray[np.float32], FaceFacts]:
    """Vertex numbers stay with their side of the face: as lines the mesh is symmetric, so nothing else is swapped."""
    flipped = landmarks * (-1, 1) + (image.shape[1] - 1, 0)
    return np.ascontiguousarray(image[:, ::-1]), flipped.astype(np.float32), facts.mirrored()


class AheadSampler:
    """A sampler whose next batches are drawn by threads while the accelerator works; the batches are the same."""

    def __init__(self, sampler: Sampler, size: int, *, ahead: int = 32, workers: int = 14) -> None:
        self.sampler, self.size, self.ahead = sampler, size, ahead
        self._threads = ThreadPoolExecutor(workers)
        self._coming: dict[int, Future[list[Sample]]] = {}

    def batch(self, step: int, size: int) -> list[Sample]:
        """The batch of one step; the ones after it are begun. A batch of another size is drawn here and now."""
        if size != self.size:
            return self.sampler.batch(step, size)
        for later in range(step, step + self.ahead):
            if later not in self._coming:
                self._coming[later] = self._threads.submit(self.sampler.batch, later, self.size)
        return self._coming.pop(step).result()
