"""Weights marked `nc` were learned from pictures under a non-commercial licence. A library accepts them once.

Tools take no library and never ask; tasks and loaders that use such weights call `require_accepted` before.
"""

from __future__ import annotations

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.library import Library


def is_accepted(library: Library, name: str) -> bool:
    """True for weights without the mark, and for marked ones in a library that accepts them."""
    return not weights.row(name).noncommercial or library.accepts_noncommercial


def require_accepted(library: Library, name: str) -> None:
    """Raises WeightsError when the weights are marked `nc` and the library has not accepted that."""
    if weights.row(name).noncommercial:
        require_accepted_terms(library, f"weights '{name}' are", weights.row(name).licence)


def require_accepted_terms(library: Library, what: str, licence: str) -> None:
    """Raises WeightsError unless the library accepts what is marked `nc`. what: begins the sentence."""
    if not library.accepts_noncommercial:
        raise WeightsError(
            f"{what} marked nc: learned from pictures under {licence}, so what they make is not for commercial use; "
            "say so once with 'portraitist weights accept-nc' or --accept-nc"
        )
