"""Scores count what they say, and doubt counts neither way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.found import FoundMark
from portraitist.marks.labelled import LabelledView
from portraitist.marks.scoring import Score, score
from tests.marks.drawn_views import bare

SIDE = 512
VIEW = bare(SIDE)
WIDTH = VIEW.face.width
CHEEK = np.asarray(VIEW.face.landmarks[50, :2], np.float32)
OTHER = np.asarray(VIEW.face.landmarks[280, :2], np.float32)


def _beside(x: float, y: float) -> np.ndarray:
    return CHEEK + np.float32([x, y])


def _item(*marks: AnnotatedMark) -> LabelledView:
    return LabelledView(VIEW, marks, np.zeros((SIDE, SIDE), np.float32))


def _true(place: np.ndarray, diameter: float | None = 6.0, **how: bool) -> AnnotatedMark:
    return AnnotatedMark("mole", place[None], diameter, **how)


def _found(place: np.ndarray, kind: str = "mole") -> FoundMark:
    return FoundMark(kind, np.float32(place)[None], 6.0, 0.9)  # type: ignore[arg-type]


def test_a_mark_is_found_near_its_place_and_only_there() -> None:
    near, far = (
        score([_found(_beside(5, 0))], _item(_true(CHEEK))),
        score([_found(_beside(14, 0))], _item(_true(CHEEK))),
    )
    assert (near.recall("mole"), near.false, near.median_error) == (1, 0, pytest.approx(5 / WIDTH, rel=1e-3))
    assert (far.recall("mole"), far.false, far.median_error) == (0, 1, None)


def test_one_found_mark_serves_one_true_one() -> None:
    both = _item(_true(CHEEK), _true(_beside(4, 0)))
    assert score([_found(CHEEK)], both).recall() == 0.5
    assert score([_found(CHEEK), _found(_beside(5, 1))], both).recall() == 1
    twice = score([_found(CHEEK), _found(_beside(1, 0))], _item(_true(CHEEK)))
    assert (twice.recall(), twice.false) == (1, 1)


def test_the_wrong_kind_is_found_but_not_named() -> None:
    result = score([_found(CHEEK, "spot")], _item(_true(CHEEK)))
    assert (result.recall("mole"), result.named, result.plain()["kind_right"]) == (1, 0, 0)


def test_doubt_counts_neither_way() -> None:
    doubted, tiny = _true(CHEEK, is_sure=False), _true(OTHER, 2.0)
    for found in ([], [_found(CHEEK), _found(OTHER)]):
        result = score(found, _item(doubted, tiny))
        assert (result.recall(), result.false) == (None, 0)
    crowd = _item(_true(OTHER))
    ignore = crowd.ignore.copy()
    ignore[int(CHEEK[1]) - 9 : int(CHEEK[1]) + 9, int(CHEEK[0]) - 9 : int(CHEEK[0]) + 9] = 1
    result = score([_found(CHEEK), _found(OTHER)], replace(crowd, ignore=ignore))
    assert (result.recall(), result.false) == (1, 0)


def test_wrinkles_count_by_length() -> None:
    line = np.stack([CHEEK, _beside(40, 0)]).astype(np.float32)
    truth = AnnotatedMark("wrinkle", line, 3.0)
    half = FoundMark("wrinkle", np.stack([CHEEK, _beside(20, 1)]).astype(np.float32), 3.0, 0.8)
    astray = FoundMark("wrinkle", (line + np.float32([0, 20])).astype(np.float32), 3.0, 0.8)
    result = score([half, astray], _item(truth))
    assert result.wrinkle_recall == pytest.approx(0.5 + 0.01 * WIDTH / 40, abs=0.06)
    assert result.wrinkle_false == pytest.approx(40 / 60, abs=0.05)
    assert result.false == 0
    doubted = score([half], _item(replace(truth, is_sure=False)))
    assert (doubted.wrinkle_recall, doubted.wrinkle_false) == (None, 0)


def test_scores_add_up() -> None:
    total = sum([score([_found(CHEEK)], _item(_true(CHEEK))), score([_found(OTHER)], _item(_true(CHEEK)))], Score())
    assert (total.faces, total.recall("mole"), total.false_a_face) == (2, 0.5, 0.5)
    assert Score().plain()["recall"] is None
