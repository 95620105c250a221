"""Voting over checkpoints: pure functions of their scores."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import NO_FACE_DISTANCE, Check, Kind, PortraitScore, ValidationPortrait
from portraitist.identity.choose import best_single, face_of, has_stopped_rising, is_as_good, measure_of, vote
from portraitist.types import Image


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


def both(step: int, text: list[float], template: list[float]) -> Check:
    kinds: list[tuple[Kind, float]] = [("text", d) for d in text] + [("template", d) for d in template]
    return Check(step, None, tuple(PortraitScore(i, d, -0.2, 5.0, kind) for i, (kind, d) in enumerate(kinds)))


def test_kinds_are_kept_apart_and_count_the_same() -> None:
    found = both(100, [0.6, 0.6, 0.6], [0.3])
    assert found.distance_of("text") == pytest.approx(0.6)
    assert found.distance_of("template") == pytest.approx(0.3)
    assert found.distance == pytest.approx(0.45)
    assert check(100, 0.5).distance_of("template") is None


def test_a_kind_that_is_nearer_by_nature_does_not_take_all_votes() -> None:
    """Portraits in templates are all nearer than those in words; each kind has voters by its number all the same."""
    checks = [both(100, [0.50, 0.51, 0.52], [0.33]), both(200, [0.60, 0.61, 0.62], [0.30])]
    assert vote(checks, voters=2).weights == {100: 0.5, 200: 0.5}
    assert vote(checks, voters=4).best == 100


def test_it_stops_when_likeness_has_stopped_rising() -> None:
    falling = [check(100, 0.6), check(200, 0.5), check(300, 0.4)]
    assert not has_stopped_rising(falling, 2)
    assert has_stopped_rising([*falling, check(400, 0.5), check(500, 0.6)], 2)
    assert not has_stopped_rising([*falling, check(400, 0.5), check(500, 0.3)], 2)
    assert not has_stopped_rising(falling[:2], 2)


def test_a_flat_beginning_is_no_end() -> None:
    """What has not risen cannot have stopped rising: the LoRA begins as nothing."""
    flat = [check(100, 0.80), check(200, 0.81), check(300, 0.79), check(400, 0.80), check(500, 0.82)]
    assert not has_stopped_rising(flat, 2)
    assert not has_stopped_rising(flat, 2, check(0, 0.81))
    risen = [*flat, check(600, 0.5), check(700, 0.55)]
    assert not has_stopped_rising(risen, 2, check(0, 0.81))
    assert has_stopped_rising([*risen, check(800, 0.6)], 2, check(0, 0.81))


def test_what_rose_before_the_first_check_has_risen() -> None:
    quick = [check(100, 0.50), check(200, 0.51), check(300, 0.52)]
    assert has_stopped_rising(quick, 2, check(0, 0.80))
    assert not has_stopped_rising(quick, 2)


def test_a_validation_loss_chooses_but_stops_nothing() -> None:
    rising = [check(100, loss=0.3), check(200, loss=0.4), check(300, loss=0.5), check(400, loss=0.6)]
    assert best_single(rising).step == 100
    assert not has_stopped_rising(rising, 2)


def test_it_says_by_what_it_chose() -> None:
    assert measure_of([check(1, 0.5, loss=0.1)]) == "likeness"
    assert measure_of([check(1, loss=0.1)]) == "validation loss"
    assert measure_of([check(1)]) == "last step"


def test_a_fusion_must_measure_as_well_without_more_copies() -> None:
    single = check(100, 0.5, 0.5)
    assert is_as_good(check(200, 0.5, 0.5), single)
    assert not is_as_good(check(200, 0.5, 0.51), single)
    assert not is_as_good(check(200, 0.4, 0.4, excess=0.1), single)


def test_the_face_is_the_nearest_portrait_in_words_that_is_no_copy(reader: FaceReader) -> None:
    pictures = [np.full((8, 8, 3), i, np.uint8) for i in range(4)]
    kinds: tuple[Kind, ...] = ("text", "text", "text", "template")
    excess = (-0.1, 0.2, -0.1, -0.1)
    scores = tuple(
        PortraitScore(i, d, e, 1.0, kind) for i, (d, e, kind) in enumerate(zip((0.5, 0.2, 0.4, 0.1), excess, kinds))
    )
    portraits = tuple(ValidationPortrait(image, kind) for image, kind in zip(pictures, kinds))
    assert face_of(Check(100, None, scores, portraits), reader) is pictures[2]
    assert face_of(Check(100, None, scores[1:2], portraits), reader) is pictures[1]


def test_with_nothing_to_compare_with_the_face_must_be_one(reader: FaceReader, astronaut: Image) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    portraits = tuple(ValidationPortrait(image) for image in (noise, astronaut))
    assert face_of(Check(100, None, (), portraits), reader) is astronaut
    assert face_of(Check(100, None, (), portraits[:1]), reader) is None
