"""All figures of the card in one go: one guidance, one step count, the judges' own accuracy first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import caption, describe
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.library import write_json
from portraitist.progress import Report, Step, silent
from portraitist.types import Image
from portraitist.weights import row
from recipes.features import EfficientNetLite0, picture_features
from recipes.mini.autoencoder import psnr, round_trip
from recipes.mini.config import DataConfig
from recipes.mini.measures.control import control_error
from recipes.mini.measures.distribution import frechet_pca, kid
from recipes.mini.measures.faces import face_finding, presence_floor
from recipes.mini.measures.judges import judge_accuracy, rated_facts
from recipes.mini.measures.memory import Pair, memorised, nearest_pairs
from recipes.mini.measures.obedience import JUDGED, obedience
from recipes.mini.measures.reading import PictureReader, Reading, at_side
from recipes.mini.measures.sheet import neighbour_sheet, save_sheet
from recipes.mini.measures.stored import read_or_load
from recipes.mini.measures.variety import variety
from recipes.mini.pack import Pack
from recipes.mini.samples import Sampler

Painter = Callable[[Sequence[str], int], list[Image]]
"""(captions, seed) -> one picture a caption."""
SteeredPainter = Callable[[str, NDArray[np.float32], NDArray[np.uint8]], list[Image]]
"""(control, (n, 468, 2) landmarks in pixels, (n, h, w, 3) pictures) -> one picture a condition."""

READERS = ("blazeface-short", "face-mesh", "dlib-resnet", "selfie-segmentation", "attributes")
"""Weights that stored readings depend on."""


@dataclass(frozen=True)
class Effort:
    """How much is drawn. samples: pictures of held-out captions. asked: pictures of each judged phrase. steered:
    pictures of each control."""

    samples: int
    asked: int
    steered: int

    @classmethod
    def of(cls, samples: int) -> Effort:
        """A twentieth for each phrase, a tenth for each control."""
        return cls(samples, max(2, samples // 20), max(2, samples // 10))


@dataclass(frozen=True)
class Real:
    """Real pictures at the model's size, read, with their features."""

    pack: Pack
    readings: list[Reading]
    features: NDArray[np.float32]

    @property
    def people(self) -> tuple[str, ...]:
        return self.pack.people


@dataclass(frozen=True)
class RoundTrip:
    """psnr: mean in dB, and the least. distance: the largest of a face to itself after encoding and decoding."""

    psnr: float
    least_psnr: float
    distance: float
    faces: int

    def row(self) -> tuple[str, str, str]:
        """PSNR first."""
        value = f"PSNR {self.psnr:.1f} dB, least {self.least_psnr:.1f}"
        return "autoencoder's round trip", value, f"largest distance {self.distance:.3f} of {self.faces} faces"


@dataclass
class Table:
    """Rows (measure, value, remark) in the order they were measured, and the same as JSON."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, result: Any, prefix: str = "") -> None:
        """One result of a measure; `prefix` goes before its name."""
        measure, value, remark = result.row()
        self.rows.append((f"{prefix}{measure}", value, remark))
        self.figures[key] = asdict(result)

    def markdown(self) -> str:
        """A table with a header."""
        lines = ["| measure | value | remark |", "|---|---|---|"]
        return "\n".join([*lines, *(f"| {a} | {b} | {c} |" for a, b, c in self.rows)]) + "\n"


@dataclass
class Evaluation:
    """Measures one model against the training split and the held-out faces of a run's folder."""

    train: Real
    held_out: Real
    read: PictureReader
    network: EfficientNetLite0
    report: Report = silent
    table: Table = field(default_factory=Table)

    @classmethod
    def load(cls, train: Pack, held_out: Pack, side: int, cache: Path, report: Report = silent) -> Evaluation:
        """Reads the real pictures, minutes the first time; kept in `cache`."""
        read, network = PictureReader.load(), EfficientNetLite0.load()
        real = [_real(pack, side, cache, read, network) for pack in (train, held_out)]
        return cls(real[0], real[1], read, network, report)

    def judges(self, ratings: Path) -> None:
        """How far the judges can be believed, on real held-out faces at the model's size."""
        truth = rated_facts(ratings, self.held_out.pack.names)
        people = self.held_out.people
        for result in judge_accuracy(self.held_out.readings, truth, "ratings and labels", people=people):
            self.table.add(f"judge {result.phrase} (rated)", result)
        facts = self.held_out.pack.facts
        for result in judge_accuracy(self.held_out.readings, facts, "the same reader at 256 px", people=people):
            self.table.add(f"judge {result.phrase} (256 px)", result)

    def round_trip(self, autoencoder: PatchAutoencoder) -> None:
        """What the autoencoder loses on held-out faces: PSNR, and the distance of a face to its round trip."""
        people = list(self.held_out.people)
        chosen = [self.held_out.readings[people.index(person)] for person in sorted(set(people))]
        images = [reading.image for reading in chosen]
        returned = round_trip(autoencoder, images)
        losses = psnr(images, returned)
        read = [self.read(image) for image in returned]
        distances = [
            float(np.linalg.norm(one.descriptor - other.descriptor))
            for one, other in zip(chosen, read, strict=True)
            if one.descriptor is not None and other.descriptor is not None
        ]
        self.table.add("round trip", RoundTrip(float(np.mean(losses)), min(losses), max(distances), len(distances)))

    def samples(self, paint: Painter, count: int) -> list[Reading]:
        """Faces, distribution, memory and variety of `count` pictures of held-out captions."""
        images = paint(held_out_captions(self.held_out.pack, count), 1)
        readings = [self._read(image, i, count) for i, image in enumerate(images)]
        floor = presence_floor(self.train.readings, self.train.people)
        self.table.add("faces, held out", face_finding(self.held_out.readings, floor, self.held_out.people), "real: ")
        self.table.add("faces", face_finding(readings, floor))
        self.distribution(picture_features(self.network, images))
        self.memory(readings)
        self.table.add("variety", variety(readings, self.train.readings, None, self.train.people))
        return readings

    def distribution(self, features: NDArray[np.float32]) -> None:
        """KID and Fréchet distance to held-out faces; the training split's own first."""
        train, held = self.train, self.held_out
        for key, rows, people in (("train", train.features, train.people), ("model", features, None)):
            prefix = "training split: " if key == "train" else ""
            self.table.add(f"kid {key}", kid(rows, held.features, people, held.people), prefix)
            distance = frechet_pca(
                train.features, rows, held.features,
                people_reference=train.people, people_a=people, people_b=held.people,
            )  # fmt: skip
            self.table.add(f"frechet {key}", distance, prefix)

    def memory(self, readings: list[Reading]) -> list[Pair]:
        """Copies of training pictures, against how often faces of other people look like one: held-out people, and
        each training person against the rest, who are more."""
        train, people = self.train.readings, self.train.people
        held = nearest_pairs(self.held_out.readings, train)
        self.table.add("memory, held out", memorised(held, self.held_out.people), "held-out faces: ")
        others = nearest_pairs(train, train, people=people, people_training=people)
        self.table.add("memory, train", memorised(others, people), "training faces among other people's: ")
        pairs = nearest_pairs(readings, self.train.readings)
        self.table.add("memory", memorised(pairs))
        return pairs

    def obedience(self, paint: Painter, count: int) -> None:
        """Each judged phrase asked of `count` pictures, alone."""
        asked = [[phrase] for phrase in JUDGED for _ in range(count)]
        images = paint([caption(phrases) for phrases in asked], 2)
        readings = [self._read(image, i, len(images)) for i, image in enumerate(images)]
        for result in obedience(asked, readings):
            self.table.add(f"obeys {result.phrase}", result)

    def controls(self, paint: SteeredPainter, names: Sequence[str], count: int, data: DataConfig, side: int) -> None:
        """Meshes and edges of held-out faces, cropped at random: framed alike, faces lie near one another by chance.
        Canny is measured by the same mesh, and so are the real pictures that the conditions were drawn from.

        Nothing is mirrored: a mirrored mesh has its vertices on the other side of the face from where a reader of the
        picture finds them.
        """
        pack = self.held_out.pack
        samples = Sampler(pack, replace(data, crop_share=1.0, flip_share=0.0), side, seed=1).batch(0, count)
        landmarks = np.stack([sample.landmarks for sample in samples])
        pictures = np.stack([sample.image for sample in samples])
        self._control("real", pictures, landmarks)
        for name in names:
            self._control(name, paint(name, landmarks, pictures), landmarks)

    def _control(self, name: str, pictures: Sequence[Image], landmarks: NDArray[np.float32]) -> None:
        readings = [self.read(image) for image in pictures]
        self.table.add(f"control {name}", control_error(readings, list(landmarks)), f"{name}: ")

    def sheet(self, readings: list[Reading], path: Path, count: int = 40) -> Path:
        """The first `count` samples, not chosen, each beside its nearest training picture."""
        shown = readings[:count]
        return save_sheet(path, neighbour_sheet(shown, nearest_pairs(shown, self.train.readings), self.train.readings))

    def write(self, folder: Path) -> None:
        """figures.json and table.md."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "figures.json", self.table.figures)
        (folder / "table.md").write_text(self.table.markdown())

    def _read(self, image: Image, index: int, total: int) -> Reading:
        self.report(Step("read", index + 1, total))
        return self.read(image)


def held_out_captions(pack: Pack, count: int) -> list[str]:
    """Captions of held-out faces, person after person, everything measured said."""
    people = sorted(set(pack.people))
    first = {person: pack.people.index(person) for person in people}
    return [caption(describe(pack.facts[first[people[i % len(people)]]])) for i in range(count)]


def _real(pack: Pack, side: int, cache: Path, read: PictureReader, network: EfficientNetLite0) -> Real:
    return Real(pack, read_pack(pack, side, cache, read), picture_features(network, at_side(list(pack.images), side)))


def read_pack(pack: Pack, side: int, cache: Path, read: PictureReader) -> list[Reading]:
    """Readings of a pack's pictures at the model's size: minutes the first time, then kept in `cache`."""
    readers = " ".join(str(row(name).sha256) for name in READERS)
    key = hashlib.sha256(f"{pack.digest} {side} {readers}".encode()).hexdigest()
    return read_or_load(cache / f"readings-{key[:12]}.npz", key, at_side(list(pack.images), side), read)
