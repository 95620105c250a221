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
    if not is_accepted(library, name):
        raise WeightsError(
            f"weights '{name}' are marked nc: learned from pictures under {weights.row(name).licence}, so what they "
            "make is not for commercial use; say so once with 'portraitist weights accept-nc' or --accept-nc"
        )
