"""A generator on disk: one safetensors file with both networks' averaged weights, its size and where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from portraitist.errors import InputError
from portraitist.library import write_atomic
from portraitist.options import from_mapping
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.networks import Discriminator, Generator
from portraitist.training.checkpoint import checkpoints, unpacked

GENERATOR, DISCRIMINATOR = "generator.", "discriminator."


@dataclass(frozen=True)
class Origin:
    """What a generator was made of. learned: the domains, oldest first. steps: what was done with them, in words."""

    learned: tuple[DomainNote, ...]
    steps: tuple[str, ...] = ()

    @property
    def noncommercial(self) -> bool:
        """Whether any of the pictures it saw are for non-commercial use only."""
        return any(note.noncommercial for note in self.learned)

    def then(self, step: str, *learned: DomainNote) -> Origin:
        """The origin after one more step, with what that step learned from."""
        more = tuple(note for note in learned if note not in self.learned)
        return Origin((*self.learned, *more), (*self.steps, step))


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator with its origin. discriminator: None where it was not kept (blends have none of their own)."""

    generator: Generator
    origin: Origin
    discriminator: Discriminator | None = None

    @property
    def size(self) -> GeneratorSize:
        """Of both networks."""
        return self.generator.size


def save_generator(path: Path, trained: TrainedGenerator) -> Path:
    """Write in one move."""
    tensors = _named(GENERATOR, trained.generator.state_dict())
    if trained.discriminator is not None:
        tensors |= _named(DISCRIMINATOR, trained.discriminator.state_dict())
    facts = {"size": json.dumps(asdict(trained.size)), "origin": json.dumps(asdict(trained.origin))}
    data: bytes = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, metadata=facts)
    return write_atomic(path, data)


def load_generator(path: Path) -> TrainedGenerator:
    """Read what `save_generator` wrote. Raises InputError when it is missing, or something else."""
    if not path.is_file():
        raise InputError(f"{path}: expected a generator file, found nothing there; train or import one first")
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        size = from_mapping(GeneratorSize, json.loads(facts["size"]))
        origin = _origin(json.loads(facts["origin"]))
        return TrainedGenerator(_generator(size, tensors), origin, _discriminator(size, tensors))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: expected a generator file, found something else ({error}); export it anew"
        ) from error


def newest_generator(folder: Path, size: GeneratorSize, origin: Origin) -> TrainedGenerator:
    """The averaged weights of a run's newest checkpoint. Raises InputError where there is none."""
    found = checkpoints(folder)
    if not found:
        raise InputError(f"{folder}: expected a checkpoint of a generator, found none; train it first")
    checkpoint = unpacked(found[-1].read_bytes())
    prefix = "average."
    tensors = {name.removeprefix(prefix): v for name, v in checkpoint.tensors.items() if name.startswith(prefix)}
    origin = replace(origin, steps=(*origin.steps, f"trained for {checkpoint.step} steps"))
    return TrainedGenerator(_generator(size, tensors), origin, _discriminator(size, tensors))


def _generator(size: GeneratorSize, tensors: Mapping[str, Tensor]) -> Generator:
    generator = Generator(size)
    # A checkpoint holds parameters only: the layers' own noise is drawn from a fixed seed.
    generator.load_state_dict({**_noise(generator), **_part(GENERATOR, tensors)})
    return generator.eval()


def _noise(generator: Generator) -> dict[str, Tensor]:
    return dict(generator.named_buffers())


def _discriminator(size: GeneratorSize, tensors: Mapping[str, Tensor]) -> Discriminator | None:
    part = _part(DISCRIMINATOR, tensors)
    if not part:
        return None
    discriminator = Discriminator(size)
    discriminator.load_state_dict(part)
    return discriminator.eval()


def _part(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def _origin(plain: Mapping[str, list[object]]) -> Origin:
    learned = tuple(from_mapping(DomainNote, note) for note in plain["learned"])  # type: ignore[arg-type]
    return Origin(learned, tuple(str(step) for step in plain["steps"]))
