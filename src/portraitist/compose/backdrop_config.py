"""Options of head shots and ID photos."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option


@dataclass(frozen=True)
class BackdropConfig:
    """How a sitter is cut out, retouched and placed on a backdrop."""

    height: int = option(1280, "height of a head shot; never more than the photo holds", unit="px", low=128, high=8000)
    straighten: bool = option(True, "turn the picture so that the eye line is level")
    padding: float = option(0.0, "extra room around the crop, as a share of its height", low=0, high=1)
    retouch: float = option(0.0, "strength of skin smoothing; 0 leaves every pore and mark", low=0, high=1)
    white_balance: bool = option(False, "remove a colour cast of the light")
    blur: float = option(0.12, "radius of the own-blurred backdrop in face widths", low=0, high=1)
    matte: str = option("closed-form", "how the person is cut out", choices=("closed-form", "grabcut"))

    def __post_init__(self) -> None:
        check(self)
