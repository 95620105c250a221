"""Options of the `compose` engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.options import check, option


@dataclass(frozen=True)
class ComposeConfig:
    """How a sitter is put into a template; `backdrop` is for head shots and ID photos."""

    outline: float = option(1.0, "how far the template's face outline is moved to the sitter's", low=0, high=1)
    light: float = option(0.85, "how far the light on the face is turned into the template's", low=0, high=1)
    colour: float = option(1.0, "how far the skin's colour is moved to the template's", low=0, high=1)
    keep_own_occluders: bool = option(False, "paste the sitter's own fringe too, and their glasses over the template's")
    max_face: int = option(
        1200, "faces wider than this are composed at this width and enlarged", unit="px", low=128, high=4000
    )
    backdrop: BackdropConfig = field(default_factory=BackdropConfig)

    def __post_init__(self) -> None:
        check(self)
