"""Options of the tasks. Standard library only: flags, forms and schemas are made from these fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.compose.config import ComposeConfig
from portraitist.errors import ConfigError
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.marks.config import TransferConfig
from portraitist.options import check, option


@dataclass(frozen=True)
class ShootConfig:
    """What to make of one or more sitters."""

    templates: tuple[str, ...] = option((), "template photos, or folders of them")
    backdrop: str | None = option(None, "backdrop of a head shot: a name, #rrggbb, own, own-blurred, or a photo")
    crop: str = option("headshot", "crop of a head shot: headshot, half, square or own")
    id_photo: str | None = option(None, "ID photo format, for example us-passport")
    background: str = option("white", "background of an ID photo: a colour the rule allows, or own for no edit")
    slots: tuple[str, ...] = option((), "who goes where: 1=anna 2=bob; none leaves a face as it is")
    count: int = option(1, "portraits for each template or backdrop", low=1, high=1000)
    engine: str = option("compose", "how it is made: compose, or lora, which paints over it; words are always lora")
    base: str = option("mini", "the base whose identity draws or paints")
    seed: int = option(0, "seed of everything drawn by chance", low=0)
    format: str = option("png", "file format", choices=("png", "jpeg", "webp"))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class FinishConfig:
    """What happens to every portrait after its engine; `marks` where the sitter has a map of them."""

    scale: int = option(1, "super-resolution of the result", choices=(1, 2, 4))
    restore: bool = option(False, "denoise and deblur the result, mixed at one half")
    marks: TransferConfig = field(default_factory=TransferConfig)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Stages:
    """How each stage of a portrait in a scene works. painting: with engine `lora` only."""

    compose: ComposeConfig = field(default_factory=ComposeConfig)
    painting: TwoPassConfig = field(default_factory=TwoPassConfig)
    finish: FinishConfig = field(default_factory=FinishConfig)


@dataclass(frozen=True)
class DrawRequest:
    """Portraits in words."""

    style: str = option("plain-front", "a style: see 'portraitist style list'")
    prompt: str = option("", "words of your own, after the style's")
    pose: str | None = option(None, "pose of the head: a name of 'portraitist poses', or a photo of anybody")
    base: str = option("mini", "the base whose identity is used")
    count: int = option(1, "portraits drawn", low=1, high=1000)
    best: int | None = option(None, "how many of them are kept, the best likeness first; none keeps all", low=1)
    scene_first: bool = option(False, "draw the scene with little of the sitter, then put their face into it whole")
    scene_engine: str = option("compose", "how it is put in, with scene_first", choices=("compose", "lora"))
    seed: int = option(0, "seed of everything drawn by chance", low=0)
    format: str = option("png", "file format", choices=("png", "jpeg", "webp"))

    def __post_init__(self) -> None:
        check(self)
        if self.scene_engine != "compose" and not self.scene_first:
            raise ConfigError(f"scene_engine: '{self.scene_engine}' does something with scene_first only; add that")


@dataclass(frozen=True)
class DrawSettings:
    """All that was asked of portraits in words, stage by stage: what a recipe stores and a replay reads."""

    draw: DrawRequest = field(default_factory=DrawRequest)
    drawing: DrawConfig = field(default_factory=DrawConfig)
    compose: ComposeConfig = field(default_factory=ComposeConfig)
    painting: TwoPassConfig = field(default_factory=TwoPassConfig)
    finish: FinishConfig = field(default_factory=FinishConfig)
