"""The kinds of marks there are."""

from __future__ import annotations

from typing import Literal, get_args

MarkKind = Literal["mole", "spot", "pimple", "scar", "wrinkle"]
"""A spot is a freckle or an age spot. A wrinkle is a line; the other four are points."""
KINDS: tuple[MarkKind, ...] = get_args(MarkKind)
POINT_KINDS: tuple[MarkKind, ...] = tuple(kind for kind in KINDS if kind != "wrinkle")
