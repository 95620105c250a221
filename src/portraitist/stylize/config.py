"""Options of applying a painter. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.errors import ConfigError
from portraitist.options import check, option

AREAS = ("face", "head", "full")
PENCILS = ("pencil", "colour-pencil", "ink")
"""Painters that are code, not a trained file."""


@dataclass(frozen=True)
class PencilConfig:
    """Drawing without a network. Lengths are parts of the frame's side, so that a larger frame looks the same."""

    medium: str = option(PENCILS[0], "what it is drawn with", choices=PENCILS)
    line_width: float = option(0.0027, "width of the finest lines", unit="of the side", low=0.0005, high=0.02)
    line_depth: float = option(1.0, "how dark lines are", low=0, high=2)
    tone: float = option(0.75, "how much shading there is", low=0, high=1)
    grain: float = option(0.7, "how much paper and strokes show in the shading", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class PaintConfig:
    """What is painted of a picture, and how much of the painting shows."""

    strength: float = option(1.0, "0 leaves the picture, 1 is the painter's", low=0, high=1)
    area: str = option("head", "what is painted of each person, or the full picture", choices=AREAS)
    hair: str = option("painted", "hair of the people painted", choices=("keep", "painted"))
    background: str | None = option(
        None,
        "what is around them; transparent cuts an avatar out; none: painted in a full picture, else kept",
        choices=("keep", "painted", "transparent"),
    )
    side: int | None = option(None, "side of the painted frame; none: the painter's own", unit="px", low=64, high=2048)
    avatar_side: int = option(512, "side of a transparent avatar", unit="px", low=64, high=2048)
    full_side: int = option(1024, "longer side at which a full picture is painted", unit="px", low=64, high=4096)
    pencil: PencilConfig = field(default_factory=PencilConfig)

    def __post_init__(self) -> None:
        check(self)
        if self.background == "transparent" and self.area == "full":
            raise ConfigError(
                "background: transparent cuts a head or a face out; expected area head or face, found full"
            )

    @property
    def surroundings(self) -> str:
        """`background`, decided."""
        return self.background or ("painted" if self.area == "full" else "keep")


@dataclass(frozen=True)
class VideoConfig:
    """How a face is followed through a video, and what is written."""

    detect_every: int = option(15, "frames between two searches for faces; the mesh follows in between", low=1)
    people: int = option(4, "most faces painted in a frame, the largest first", low=1, high=50)
    steadiness: float = option(1.0, "One Euro filter: cut-off of a still face, lower is steadier", unit="Hz", low=0.05)
    quickness: float = option(30.0, "One Euro filter: how much the cut-off rises with speed", unit="s/face", low=0)
    bit_rate: int = option(0, "of the video written; 0 chooses by its size", unit="bit/s", low=0)
    audio: bool = option(True, "keep the sound as it is")
    seconds: float = option(0.0, "a camera is painted for so long; 0 until it is stopped", unit="s", low=0)

    def __post_init__(self) -> None:
        check(self)
