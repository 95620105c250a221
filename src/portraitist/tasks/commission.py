"""What was asked of portraits in words, with everything it names found: sitter, base, style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portraitist.errors import ConfigError
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.styles.looks import find_style
from portraitist.tasks.config import DrawSettings
from portraitist.tasks.sitting import Cast

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.styles.style import Style


@dataclass(frozen=True, eq=False)
class Commission:
    """One request for one sitter."""

    library: Library
    cast: Cast
    base: Base
    style: Style
    settings: DrawSettings
    placement: Placement
    report: Report

    @classmethod
    def of(
        cls, library: Library, name: str, settings: DrawSettings, placement: Placement, report: Report = silent
    ) -> Commission:
        """Raises InputError for an unknown sitter or base, ConfigError for an unknown style or one whose words the base
        does not know."""
        from portraitist.diffusion.bases import find_base

        base, cast = find_base(settings.draw.base), Cast.of(library, name)
        style = find_style(settings.draw.style, library)
        if style.needs == "hub" and base.name == "mini":
            raise ConfigError(
                f"style '{style.key}': expected a hub base, found base 'mini', which does not know its words; "
                "choose a style of 'portraitist style list --needs mini' or another --base"
            )
        return cls(library, cast, base, style, settings, placement, report)
