"""Options of the marks. Standard library only: flags, forms and schemas are made from these fields."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option

DETECTOR = "auto"
"""The detector that is taken unless another is asked for: `network`, or `classical` where its weights cannot be had."""


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
    marks_rank: float = option(
        0.0, "share of the marks that are there in the order of portraits; the rest is likeness", low=0, high=1
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ClassicalConfig:
    """The detector without weights. Millimetres with the eyes 63 mm apart.

    A contrast is a response over its deviation on the skin around.
    """

    smallest_mark: float = option(0.5, "diameter of the smallest mark", unit="mm", low=0.2, high=5)
    largest_mark: float = option(6.0, "diameter of the largest mark", unit="mm", low=1, high=20)
    noise_window: float = option(5.0, "deviation of the Gaussian that noise is taken over", unit="mm", low=2, high=20)
    spot_contrast: float = option(6.0, "least contrast of a dark mark, if round and 1 mm across", low=2, high=50)
    mole_contrast: float = option(6.5, "contrast from which a dark mark may be a mole", low=2, high=50)
    mole_darkness: float = option(0.13, "how much darker than skin a mole is, as a share of L*", low=0, high=1)
    pimple_contrast: float = option(7.0, "least contrast of a red mark, if round and 1 mm across", low=2, high=50)
    scar_contrast: float = option(10.0, "least contrast of a pale mark, if round and 1 mm across", low=2, high=50)
    size_weight: float = option(
        0.35, "how much the size of a mark and its roundness add to its contrast", low=0, high=2
    )
    longest_mark: float = option(
        5.0, "ratio of curvatures from which a dark place is a line, not a mark", low=1, high=20
    )
    mask_edge: float = option(0.8, "marks keep this far from what is no skin", unit="mm", low=0, high=10)
    wrinkle_contrast: float = option(6.0, "contrast that a wrinkle has somewhere", low=1, high=50)
    wrinkle_faint: float = option(2.5, "contrast that it keeps along its line", low=0.5, high=50)
    wrinkle_mean: float = option(4.0, "least mean contrast along its line", low=0.5, high=50)
    shortest_wrinkle: float = option(8.0, "length of the shortest wrinkle", unit="mm", low=2, high=50)
    wrinkle_straightness: float = option(0.7, "least distance of a wrinkle's ends over its length", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)
