"""Options of the task `paint`. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.errors import ConfigError
from portraitist.marks.config import TransferConfig
from portraitist.options import check, option
from portraitist.stylize.config import PENCILS, PaintConfig, VideoConfig


@dataclass(frozen=True)
class PaintRequest:
    """Who is painted, by which painter."""

    painter: str = option(PENCILS[0], "a name of 'portraitist stylize --list', or a painter's folder")
    sitter: str | None = option(None, "whose face it is: for --only-sitter, --privacy and --marks")
    only_sitter: bool = option(False, "paint nobody but the sitter")
    privacy: bool = option(False, "paint everybody but the sitter, until a recogniser no longer knows them")
    marks: bool = option(False, "draw the sitter's marks on the painting, from their map")
    of: str = option("album", "which pictures of a sitter are painted", choices=("album", "portraits"))
    format: str = option("png", "file format", choices=("png", "jpeg", "webp"))

    def __post_init__(self) -> None:
        check(self)
        if self.privacy and self.only_sitter:
            raise ConfigError("privacy: paints everybody but the sitter; expected it without only_sitter")


@dataclass(frozen=True)
class PaintSettings:
    """All that was asked of a painting: what a recipe stores and a replay reads. video: for videos and cameras."""

    request: PaintRequest = field(default_factory=PaintRequest)
    paint: PaintConfig = field(default_factory=PaintConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    video: VideoConfig = field(default_factory=VideoConfig)

    def __post_init__(self) -> None:
        is_cut_out = self.paint.background == "transparent"
        if self.request.privacy and (self.paint.strength < 1 or self.paint.area == "full" or is_cut_out):
            raise ConfigError(
                "privacy: expected strength 1, area face or head and no cut-out: a face would still be seen"
            )
        if self.request.marks and is_cut_out:
            raise ConfigError("marks: are drawn where they were in the photo; expected background keep or painted")
        if self.request.format == "jpeg" and is_cut_out:
            raise ConfigError("background transparent: expected format png or webp, found jpeg, which knows none")
