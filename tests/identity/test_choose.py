"""Voting over checkpoints: pure functions of their scores."""

from __future__ import annotations

import pytest

from portraitist.identity.checks import NO_FACE_DISTANCE, Check, PortraitScore
from portraitist.identity.choose import best_single, has_stopped_rising, vote


def check(step: int, *distances: float | None, excess: float = -0.2, loss: float | None = None) -> Check:
    scores = tuple(PortraitScore(i, d, None if d is None else excess, 5.0) for i, d in enumerate(distances))
    return Check(step, loss, scores)


def test_the_nearest_checkpoint_is_best() -> None:
    assert best_single([check(100, 0.7, 0.6), check(200, 0.4, 0.5), check(300, 0.6, 0.6)]).step == 200


def test_a_missing_face_counts_as_a_stranger() -> None:
    assert check(1, 0.3, None).distance == pytest.approx((0.3 + NO_FACE_DISTANCE) / 2)
    assert best_single([check(100, 0.3, None), check(200, 0.5, 0.5)]).step == 200


def test_copies_lose() -> None:
    assert best_single([check(100, 0.2, 0.2, excess=0.1), check(200, 0.5, 0.5)]).step == 200
    assert vote([check(100, 0.2, 0.2, excess=0.1), check(200, 0.5, 0.5)]).weights == {200: 1.0}


def test_without_portraits_the_loss_decides_and_without_loss_the_last() -> None:
    assert best_single([check(100, loss=0.5), check(200, loss=0.3), check(300, loss=0.4)]).step == 200
    assert best_single([check(100), check(200)]).step == 200


def test_the_best_pictures_vote() -> None:
    checks = [check(100, 0.40, 0.60), check(200, 0.41, 0.42), check(300, 0.43, 0.90)]
    found = vote(checks, voters=4)
    assert found.weights == {200: 0.5, 100: 0.25, 300: 0.25}
    assert found.best == 200
    assert sum(found.weights.values()) == pytest.approx(1)


def test_with_no_face_anywhere_one_checkpoint_is_taken() -> None:
    assert vote([check(100, None), check(200, None)]).weights == {100: 1.0}


def test_it_stops_when_likeness_has_stopped_rising() -> None:
    falling = [check(100, 0.6), check(200, 0.5), check(300, 0.4)]
    assert not has_stopped_rising(falling, 2)
    assert has_stopped_rising([*falling, check(400, 0.5), check(500, 0.6)], 2)
    assert not has_stopped_rising([*falling, check(400, 0.5), check(500, 0.3)], 2)
    assert not has_stopped_rising(falling[:2], 2)
