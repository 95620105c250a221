"""Which checkpoints become the identity: the best pictures vote, their checkpoints are fused by the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import KINDS, Check, Kind, PortraitScore, largest_face
from portraitist.types import Image

VOTERS = 8
"""Best validation pictures that vote."""
MOST_FUSED = 3
"""Checkpoints in one fusion: more add rank and little else."""
RISEN = 0.05
"""Distance by which the best checkpoint must be nearer than the base alone before likeness can have stopped rising: a
LoRA begins as nothing, and six portraits of one checkpoint of mini spread by 0.03 about their mean."""
Measure = Literal["likeness", "validation loss", "last step"]
BASIS: dict[Measure, str] = {
    "likeness": "chosen by likeness to photos that were not learned from",
    "validation loss": "chosen by the validation loss of what was held out; likeness to other photos is not measured "
    "below ten photos",
    "last step": "nothing was held out: the last step was kept, and neither loss nor likeness is measured below three "
    "photos",
}
"""The measure in a sentence."""


@dataclass(frozen=True)
class Vote:
    """Steps of the checkpoints that take part, with their weights, which sum to 1; best first."""

    weights: dict[int, float]

    @property
    def best(self) -> int:
        """The step with the most votes."""
        return max(self.weights, key=lambda step: (self.weights[step], step))


def measure_of(checks: Sequence[Check]) -> Measure:
    """By what checkpoints are chosen: likeness where portraits were scored, else validation loss, else the order."""
    if any(check.distance is not None for check in checks):
        return "likeness"
    return "validation loss" if any(check.validation_loss is not None for check in checks) else "last step"


def best_single(checks: Sequence[Check]) -> Check:
    """The check with the smallest mean distance; by validation loss where no portraits were scored; else the last.

    Copies lose against any portrait that is none: each adds as much as a stranger's face.
    """
    drawn = [check for check in checks if check.distance is not None]
    if drawn:
        return min(drawn, key=lambda check: (_cost(check), check.step))
    measured = [check for check in checks if check.validation_loss is not None]
    if measured:
        return min(measured, key=lambda check: (check.validation_loss, check.step))
    return max(checks, key=lambda check: check.step)


def _cost(check: Check) -> float:
    assert check.distance is not None
    return check.distance + check.copies / max(len(check.scores), 1)


def vote(checks: Sequence[Check], *, voters: int = VOTERS) -> Vote:
    """Weights by how many of the best pictures each checkpoint drew; one checkpoint where none drew any.

    Pictures are ranked within their kind and then by how far up their kind they are, so each kind has voters by its
    number. Distances of two kinds have different levels and spreads, and a z-score of two portraits a check would hang
    on its outliers. A picture that is a copy, or without a face, has no vote.
    """
    ranked = sorted(place for kind in KINDS for place in _ranked(checks, kind))
    if not ranked:
        return Vote({best_single(checks).step: 1.0})
    votes = Counter(step for _, _, step in ranked[:voters]).most_common(MOST_FUSED)
    total = sum(count for _, count in votes)
    return Vote({step: count / total for step, count in votes})


def _ranked(checks: Sequence[Check], kind: Kind) -> list[tuple[float, float, int]]:
    """Rank in [0, 1) among the kind's pictures that may vote, distance, step."""
    found = sorted(
        (score.distance, check.step)
        for check in checks
        for score in check.scores
        if score.kind == kind and score.distance is not None and not score.is_copy
    )
    return [(place / len(found), distance, step) for place, (distance, step) in enumerate(found)]


def has_stopped_rising(checks: Sequence[Check], patience: int, bare: Check | None = None) -> bool:
    """True when the last `patience` checks were none of them the best so far, and likeness had risen before.

    bare: what the base alone measures; without it the first check stands for it. A validation loss stops nothing: it
    is not likeness.
    """
    if len(checks) <= patience or measure_of(checks) != "likeness":
        return False
    best, start = best_single(checks), bare if bare is not None and bare.distance is not None else checks[0]
    if best.distance is None or start.distance is None or best.distance > start.distance - RISEN:
        return False
    return all(check.step != best.step for check in checks[-patience:])


def is_as_good(fusion: Check, single: Check) -> bool:
    """The fusion measures at least as well as the best single checkpoint, with no more copies."""
    if fusion.distance is None or single.distance is None:
        return False
    return fusion.distance <= single.distance and fusion.copies <= single.copies


def fusion_sentence(fusion: float | None, single: float | None, rank_loss: float, *, is_kept: bool) -> str:
    """What the fusion measured, what the best single checkpoint did, and which was kept."""
    if fusion is None or single is None:
        return "nothing was fused"
    kept = f"the fusion, relative error of its rank {rank_loss:.3f}" if is_kept else "the single one"
    return f"distance {fusion:.3f} against {single:.3f}; kept: {kept}"


def face_of(check: Check, reader: FaceReader) -> Image | None:
    """The picture that stands for the identity: the text portrait with a face that is nearest to the photos that choose
    and no copy; where there were none to compare with, the one whose face has the best quality. None without a face."""
    scored = [score for score in check.scores if score.kind == "text" and score.distance is not None]
    if scored:
        return check.portraits[min(scored, key=_place).number].image
    drawn = [portrait.image for portrait in check.portraits if portrait.kind == "text"]
    seen = [(face, image) for image in drawn if (face := largest_face(image, reader)) is not None]
    if not seen:
        return None
    return max(seen, key=lambda pair: pair[0].quality.overall if pair[0].quality else 0.0)[1]


def _place(score: PortraitScore) -> tuple[bool, float, int]:
    assert score.distance is not None
    return score.is_copy, score.distance, score.number
