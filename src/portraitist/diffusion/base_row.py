"""What the table of bases is made of: frozen dataclasses, standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portraitist.errors import ConfigError

PRESETS = ("cpu", "8gb", "12gb", "16gb", "24gb")
"""Names of the memory presets, the smallest first. A GPU preset says how much memory the GPU must have."""

FEW_STEPS = 10
"""A base that draws in fewer is distilled."""

Precision = Literal["float32", "bfloat16"]
Offload = Literal["none", "model", "sequential"]
Prediction = Literal["flow-sample", "epsilon", "flow-velocity"]


@dataclass(frozen=True)
class Preset:
    """What one memory preset switches.

    precision: of the frozen weights; the LoRA itself always learns in float32.
    gradient_checkpointing: activations are computed twice instead of kept.
    eight_bit_optimizer: optimiser states in 8 bits; needs the package bitsandbytes and a CUDA device.
    cached_latents, cached_text: photos and captions are encoded once and the encoder is put away; with cached_text
    the text encoder does not learn.
    offload: while one part works the others wait in main memory ("model"), or every layer does ("sequential").
    rank: of the LoRA, None for the base's own; alpha shrinks with it, as their ratio is the LoRA's strength.
    """

    name: str
    precision: Precision = "float32"
    gradient_checkpointing: bool = False
    eight_bit_optimizer: bool = False
    cached_latents: bool = True
    cached_text: bool = False
    offload: Offload = "none"
    rank: int | None = None


@dataclass(frozen=True)
class Training:
    """How a LoRA is learned when nothing else is asked for.

    resolution: pixels of a training picture's side before aspect buckets. text_learning_rate: 0 leaves the text
    encoder as it is. steps_per_photo, most_steps: steps of the optimiser are the least of photos times the one, and
    the other.
    """

    rank: int
    alpha: float
    learning_rate: float
    text_learning_rate: float
    resolution: int
    steps_per_photo: int
    most_steps: int
    batch: int = 1
    accumulation: int = 4

    def steps(self, photos: int) -> int:
        """Steps of the optimiser for an album of so many photos."""
        return min(self.steps_per_photo * photos, self.most_steps)


@dataclass(frozen=True)
class Sampling:
    """How the base draws when nothing else is asked for.

    painted_steps: steps taken where a picture is painted over, whatever the strength; None leaves them to the pass.
    ring_denoise: how far the ring around a face is painted anew; None leaves it to the pass. paints_difference: of
    what the base paints over only what the LoRA changes counts: its own hand would show (`painters.DifferencePainter`).
    """

    num_steps: int
    guidance_scale: float
    painted_steps: int | None = None
    ring_denoise: float | None = None
    paints_difference: bool = False

    @property
    def few_steps(self) -> int | None:
        """The steps of a base that was distilled to few: other steps and guidance than its own spoil it. None else."""
        return self.num_steps if self.num_steps < FEW_STEPS else None


@dataclass(frozen=True)
class Pipelines:
    """Names of the diffusers pipelines; None where diffusers has none for this base."""

    text: str
    image: str | None = None
    inpaint: str | None = None
    control: str | None = None
    control_image: str | None = None
    control_inpaint: str | None = None


KINDS = tuple(Pipelines.__dataclass_fields__)
"""Kinds of pipeline a base may be loaded as."""


@dataclass(frozen=True)
class LoraTarget:
    """Modules of one part of the pipeline that take LoRA, by the ends of their names, as peft matches them."""

    part: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """One base model.

    family: bases of one family share LoRAs. repository: on the hub, None where the weights come otherwise; modelscope:
    its name on that mirror. revision: a commit, None takes the newest at the first download and keeps to it.
    variant: the half-precision files of the repository are taken where it has them. folders: parts of the repository
    that are downloaded. fast_sampling: how it also draws, in few steps, None where it needs other weights for that.
    terms: what whoever uses the base agrees to beyond the usual. path: a local folder or file that is used instead of
    the repository.
    """

    name: str
    family: str
    repository: str | None
    modelscope: str | None
    revision: str | None
    licence: str
    resolution: int
    prediction: Prediction
    pipelines: Pipelines
    lora: tuple[LoraTarget, ...]
    training: Training
    sampling: Sampling
    presets: tuple[Preset, ...]
    fast_sampling: Sampling | None = None
    variant: str | None = None
    folders: tuple[str, ...] = ()
    terms: str = ""
    note: str = ""
    path: Path | None = None

    def pipeline_class(self, kind: str) -> str:
        """Name of the diffusers class for a kind of pipeline. Raises ConfigError where there is none."""
        name = getattr(self.pipelines, kind, None) if kind in KINDS else None
        if name is None:
            have = ", ".join(k for k in KINDS if getattr(self.pipelines, k) is not None)
            raise ConfigError(f"base '{self.name}': expected a kind of pipeline out of {have}; found {kind!r}")
        return str(name)

    @property
    def is_distilled(self) -> bool:
        """Made to draw in few steps: other steps and guidance than its own spoil it."""
        return self.sampling.few_steps is not None

    def preset(self, name: str) -> Preset:
        """The memory preset of that name. Raises ConfigError for an unknown one."""
        found = next((preset for preset in self.presets if preset.name == name), None)
        if found is None:
            listed = ", ".join(preset.name for preset in self.presets)
            raise ConfigError(f"preset of base '{self.name}': expected one of {listed}; found {name!r}")
        return found
