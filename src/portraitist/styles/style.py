"""A style: a named look in words, with the settings that go with it. Standard library only."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field

from portraitist.diffusion.captions import unknown_words
from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.styles.wording import marks_named

SAMPLERS = ("base", "euler", "euler-a", "ddim", "unipc", "dpmpp-2m", "dpmpp-2m-karras", "dpmpp-sde-karras")
"""`base` is the sampler that the base model comes with."""
NEEDS = ("mini", "hub")
HUBS = ("huggingface", "modelscope", "file")
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a key looks like, and so the file's name."""


@dataclass(frozen=True)
class StyleLora:
    """Where a style's own LoRA is. repository and revision: empty when `hub` is `file`; then `file` is a path, and a
    relative one starts at the style's own folder."""

    file: str
    weight: float = option(0.7, "how strongly it is mixed in", low=0, high=2)
    hub: str = option("file", "where it is downloaded from", choices=HUBS)
    repository: str = ""
    revision: str = ""

    def __post_init__(self) -> None:
        check(self)
        if not self.file.endswith(".safetensors"):
            raise ConfigError(f"lora.file: expected a .safetensors file, found {self.file!r}")
        if (self.hub == "file") == bool(self.repository):
            raise ConfigError(f"lora.repository: expected one with a hub and none without, found {self.repository!r}")


@dataclass(frozen=True)
class Prompt:
    """What a style says, by subject matter; each part is one or more phrases with commas between them."""

    subject: str
    framing: str = ""
    pose: str = ""
    expression: str = ""
    clothing: str = ""
    place: str = ""
    light: str = ""
    lens: str = ""
    finish: str = ""

    def phrases(self) -> tuple[str, ...]:
        """Every phrase behind the subject, in the order of the parts.

        >>> Prompt("portrait", expression="serious", place="dark background").phrases()
        ('serious', 'dark background')
        """
        parts = [getattr(self, part.name) for part in dataclasses.fields(self)][1:]
        return tuple(phrase for part in parts for phrase in split_phrases(part))


@dataclass(frozen=True)
class Style:
    """A look that any sitter can be shown in.

    key: names the file and the flag. name and name_zh: shown to people. needs: `mini` when portrait-mini knows every
    word of the prompt. tested: whether this project made pictures with it and looked at them. source: where it came
    from, when it was measured or imported. A base of few steps takes its own steps and guidance instead.
    """

    key: str
    name: str
    name_zh: str
    about: str
    prompt: Prompt
    needs: str = option("hub", "the smallest base that knows the words", choices=NEEDS)
    tested: bool = False
    negative: tuple[str, ...] = ()
    sampler: str = option("base", "how noise is removed", choices=SAMPLERS)
    steps: int = option(30, "steps of the sampler", low=1, high=150)
    guidance: float = option(6.0, "how closely the prompt is followed", low=1, high=20)
    identity_weight: float = option(0.9, "how strongly the sitter's LoRA is mixed in", low=0, high=1.5)
    lora: StyleLora | None = field(default=None)
    source: str = ""

    def __post_init__(self) -> None:
        check(self)
        if not KEY.fullmatch(self.key):
            raise ConfigError(f"key: expected small letters, digits and single hyphens, found {self.key!r}")
        for name in ("name", "name_zh", "about"):
            if not getattr(self, name).strip():
                raise ConfigError(f"{name}: expected some words, found nothing")
        if not self.prompt.subject.strip():
            raise ConfigError("prompt.subject: expected some words, found nothing")
        self._check_words()

    def _check_words(self) -> None:
        marks = marks_named(", ".join(self.negative))
        if marks:
            raise ConfigError(f"negative: {', '.join(marks)} belong to the sitter; take the words out")
        unknown = self.unknown_to_mini() if self.needs == "mini" else []
        if unknown:
            raise ConfigError(f"prompt: portrait-mini does not know {', '.join(unknown)}; say needs: hub")

    def unknown_to_mini(self) -> list[str]:
        """Words of the prompt that portrait-mini has never seen; empty for a style that needs no more."""
        return unknown_words(", ".join([self.prompt.subject, *self.prompt.phrases()]))


def split_phrases(text: str) -> list[str]:
    """The phrases between commas, without the empty ones.

    >>> split_phrases(" window light, , soft shadows,")
    ['window light', 'soft shadows']
    """
    return [phrase for part in re.split(r"[,，、]", text) if (phrase := " ".join(part.split()))]
