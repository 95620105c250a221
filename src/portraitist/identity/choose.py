"""Which checkpoints become the identity: the best pictures vote, their checkpoints are fused by the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from portraitist.identity.checks import Check

VOTERS = 8
"""Best validation pictures that vote."""
MOST_FUSED = 3
"""Checkpoints in one fusion: more add rank and little else."""


@dataclass(frozen=True)
class Vote:
    """Steps of the checkpoints that take part, with their weights, which sum to 1; best first."""

    weights: dict[int, float]

    @property
    def best(self) -> int:
        """The step with the most votes."""
        return max(self.weights, key=lambda step: (self.weights[step], step))


def best_single(checks: Sequence[Check]) -> Check:
    """The check with the smallest mean distance; by validation loss where no portraits were drawn; else the last.

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

    A picture that is a copy, or without a face, has no vote.
    """
    ranked = sorted(
        (score.distance, check.step)
        for check in checks
        for score in check.scores
        if score.distance is not None and not score.is_copy
    )
    if not ranked:
        return Vote({best_single(checks).step: 1.0})
    votes = Counter(step for _, step in ranked[:voters]).most_common(MOST_FUSED)
    total = sum(count for _, count in votes)
    return Vote({step: count / total for step, count in votes})


def has_stopped_rising(checks: Sequence[Check], patience: int) -> bool:
    """True when the last `patience` checks were none of them the best so far."""
    if len(checks) <= patience:
        return False
    best = best_single(checks)
    return all(check.step != best.step for check in checks[-patience:])
