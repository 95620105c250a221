"""Marks become maps and come back from them; what nobody knows counts neither way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.kinds import POINT_KINDS
from portraitist.marks.network_config import MarkNetworkConfig
from portraitist.marks.network_decoding import decode
from portraitist.marks.network_targets import CENTRES, RIDGE, STRIDE, targets

SIDE = 192
SKIN, NOTHING = np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
CONFIG = MarkNetworkConfig()

places = st.tuples(st.integers(0, 7), st.integers(0, 7), st.floats(0, 1), st.floats(0, 1))
one_mark = st.tuples(places, st.sampled_from(POINT_KINDS), st.floats(3, 14, width=32))


@settings(max_examples=60, deadline=None)
@given(st.lists(one_mark, max_size=12, unique_by=lambda mark: mark[0][:2]))
def test_point_marks_come_back(drawn: list[tuple[tuple[int, int, float, float], str, float]]) -> None:
    # One to a square of 24 px, within its middle, so that no two are on one another.
    marks = [
        AnnotatedMark(kind, np.float32([[24 * i + 8 + 7 * x, 24 * j + 8 + 7 * y]]), size)  # type: ignore[arg-type]
        for (i, j, x, y), kind, size in drawn
    ]
    found = decode(targets(marks, SKIN, NOTHING).maps, SKIN, CONFIG)
    assert len(found) == len(marks)
    for mark in marks:
        match = min(found, key=lambda other: float(np.linalg.norm(other.points - mark.points)))
        np.testing.assert_allclose(match.points, mark.points, atol=1e-3)
        assert (match.kind, match.score) == (mark.kind, pytest.approx(1 / (1 + getattr(CONFIG, f"{mark.kind}_score"))))
        assert match.diameter == pytest.approx(mark.diameter, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 180), st.floats(-25, 25), st.floats(2, 9))
def test_a_wrinkle_comes_back(angle: float, bend: float, width: float) -> None:
    along = np.linspace(-60, 60, 9)
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    line = np.stack([along, bend * (1 - (along / 60) ** 2)], axis=1) @ rotation + SIDE / 2
    marks = [AnnotatedMark("wrinkle", line.astype(np.float32), width)]
    found = decode(targets(marks, SKIN, NOTHING).maps, SKIN, CONFIG)
    assert [mark.kind for mark in found] == ["wrinkle"]
    assert found[0].diameter == pytest.approx(width, rel=0.05)
    length = float(np.linalg.norm(np.diff(found[0].points, axis=0), axis=1).sum())
    assert length == pytest.approx(np.linalg.norm(np.diff(line, axis=0), axis=1).sum(), abs=14)
    fine = np.concatenate([np.linspace(a, b, 40) for a, b in itertools.pairwise(line)])
    gaps = np.linalg.norm(found[0].points[:, None] - fine[None], axis=2).min(1)
    assert gaps.max() < STRIDE


def test_two_kinds_side_by_side_stay_two() -> None:
    marks = [AnnotatedMark(kind, np.float32([[x, 90]]), 4.0) for kind, x in (("mole", 80), ("pimple", 90))]
    found = decode(targets(marks, SKIN, NOTHING).maps, SKIN, CONFIG)
    assert sorted(mark.kind for mark in found) == ["mole", "pimple"]


def test_what_nobody_knows_does_not_count() -> None:
    ignore, skin = NOTHING.copy(), SKIN.copy()
    ignore[:, :50], skin[150:] = 1, 0
    doubted = AnnotatedMark("mole", np.float32([[100, 100]]), 6.0, is_sure=False)
    tiny = AnnotatedMark("mole", np.float32([[140, 40]]), 1.0)
    made = targets([doubted, tiny], skin, ignore)
    assert made.maps[list(CENTRES)].max() == 0
    for x, y, counts in ((20, 60, 0), (100, 100, 0), (140, 40, 0), (100, 170, 0), (100, 60, 1), (120, 100, 1)):
        assert made.counts[y // STRIDE, x // STRIDE] == counts, (x, y)


def test_an_unknown_diameter_is_not_learned() -> None:
    made = targets([AnnotatedMark("spot", np.float32([[61, 61]]))], SKIN, NOTHING)
    assert made.maps[POINT_KINDS.index("spot")].max() == 1
    assert made.has_diameter.sum() == 0


def test_marks_beyond_the_crop_leave_it_alone() -> None:
    beyond = [AnnotatedMark("mole", np.float32([[-30, 500]]), 6.0)]
    beyond.append(AnnotatedMark("wrinkle", np.float32([[-90, -90], [-40, -60]]), 3.0))
    made = targets(beyond, SKIN, NOTHING)
    assert made.maps[[*CENTRES, RIDGE]].max() == 0
    assert decode(made.maps, SKIN, CONFIG) == []


def test_nothing_is_found_outside_the_skin() -> None:
    skin = SKIN.copy()
    skin[:, 96:] = 0
    marks = [AnnotatedMark("mole", np.float32([[x, 50]]), 6.0) for x in (50, 150)]
    marks += [AnnotatedMark("wrinkle", np.float32([[x, 100], [x, 150]]), 4.0) for x in (60, 140)]
    found = decode(targets(marks, SKIN, NOTHING).maps, skin, CONFIG)
    assert sorted((mark.kind, round(float(mark.points[0, 0])) // 50) for mark in found) == [("mole", 1), ("wrinkle", 1)]


def test_a_second_peak_of_one_mark_goes() -> None:
    maps = targets([AnnotatedMark("mole", np.float32([[90, 90]]), 30.0)], SKIN, NOTHING).maps
    maps[0, 22, 24] = 0.999
    maps[4:7, 22, 24] = maps[4:7, 22, 22]
    assert len(decode(maps, SKIN, CONFIG)) == 1


def test_kinds_have_thresholds_of_their_own() -> None:
    marks = [AnnotatedMark(kind, np.float32([[x, 90]]), 6.0) for kind, x in (("mole", 50), ("scar", 130))]
    maps = targets(marks, SKIN, NOTHING).maps * 0.5
    found = decode(maps, SKIN, MarkNetworkConfig(mole_score=0.4, scar_score=0.6))
    assert [mark.kind for mark in found] == ["mole"]
