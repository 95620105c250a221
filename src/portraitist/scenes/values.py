"""Where the sitter goes: a template photo with slots, a backdrop, or a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.types import Face, Image, Picture


@dataclass(frozen=True)
class Slot:
    """A face place in a template, numbered left to right from 1. `face` is in pixels of the full-size template."""

    number: int
    face: Face


@dataclass(frozen=True)
class TemplateScene:
    """A photo whose faces (`slots`) are replaced. Pixels away from the faces are never touched."""

    picture: Picture
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class BackdropScene:
    """A head shot or ID photo: the sitter cut out of their own photo, on a backdrop, cropped by a rule.

    backdrop: a name (`studio-grey`, `white`, `own`, `own-blurred`, ...), a colour `#rrggbb`, or pixels of a photo.
    crop: `headshot`, `half`, `square`, `own`, or the name of an ID format (`us-passport`, ...).
    """

    backdrop: str | Image
    crop: str = "headshot"


@dataclass(frozen=True)
class PromptScene:
    """A named style and words of the user's own. Needs an engine that draws (see `registry`)."""

    style: str
    prompt: str = ""
