"""Options of the marks. Standard library only: flags, forms and schemas are made from these fields."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option

DETECTOR = "classical"
"""The engine of the task `marks` that is taken unless another is asked for."""


@dataclass(frozen=True)
class TransferConfig:
    """How the sitter's marks are carried over to a portrait."""

    marks_strength: float = option(1.0, "how strongly marks are drawn; 0 leaves the portrait alone", low=0, high=1)
    marks_method: str = option(
        "anchor",
        "how a mark finds its place: by its triangle of the mesh, or by the affine of the three nearest landmarks",
        choices=("anchor", "affine"),
    )
    marks_confidence: float = option(0.3, "least confidence that a mark belongs to the sitter", low=0, high=1)
    marks_soften: float = option(0.5, "strength of marks that are to be softened", low=0, high=1)
    marks_least: float = option(1.2, "least diameter in the portrait of a mark that is drawn", unit="px", low=0)

    def __post_init__(self) -> None:
        check(self)
