"""The order of portraits: likeness first, marks as far as they are asked to count."""

from __future__ import annotations

from typing import Any

import pytest

from portraitist.provenance import Recipe
from portraitist.tasks.worth import UNKNOWN, worth


def _recipe(likeness: float | None, share: float, *scores: float | None) -> Recipe:
    people: list[dict[str, Any]] = [{} if score is None else {"marks": {"score": score}} for score in scores]
    config = {"finish": {"marks": {"marks_rank": share}}}
    return Recipe(
        task="shoot",
        engine="compose",
        config=config,
        seed=0,
        index=0,
        sitters=("anna",),
        inputs=(),
        weights={},
        timings={},
        versions={},
        likeness=likeness,
        measures={"people": people},
        details={},
        created="",
    )


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (_recipe(0.8, 0.0, 0.2), 0.8),
        (_recipe(0.8, 0.5, 0.2), 0.5),
        (_recipe(0.8, 1.0, 0.6, 0.2), 0.2),
        (_recipe(0.8, 0.5, None), 0.8),
        (_recipe(None, 0.5, 0.9), UNKNOWN),
    ],
)
def test_worth(recipe: Recipe, expected: float) -> None:
    assert worth(recipe) == pytest.approx(expected)
