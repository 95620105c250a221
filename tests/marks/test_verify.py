"""A verdict tells what is there, missing, hidden and invented; a mark's surroundings are protected from retouching."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraitist.marks.anchor import place
from portraitist.marks.map import MarksMap
from portraitist.marks.protect import kept_mask
from portraitist.marks.verify import INVENTED_WEIGHT, check_marks
from portraitist.retouch.smooth import smooth
from portraitist.types import Face
from tests.marks.meshes import head
from tests.marks.skins import SIZE, map_with, mole, skin, wrinkle

LINE = (104, 69, 108, 151, 337)
SIZES = (SIZE, SIZE)
MAP = map_with(mole(50, "left"), mole(280, "right"), mole(151, "front"), wrinkle(LINE, "line"))


def test_all_there() -> None:
    seen = [mole(50, "a"), mole(280, "b"), mole(151, "c"), wrinkle(LINE[::-1], "d")]
    verdict = check_marks(head(), seen, MAP, SIZES)
    assert verdict.found == ("left", "right", "front", "line")
    assert (verdict.missing, verdict.hidden, verdict.invented, verdict.score) == ((), (), (), 1.0)


def test_missing_and_invented_marks_are_told_apart_and_cost() -> None:
    seen = [mole(50, "a"), mole(151, "c"), mole(199, "chin", confidence=0.8)]
    verdict = check_marks(head(), seen, MAP, SIZES)
    assert (verdict.found, verdict.missing) == (("left", "front"), ("right", "line"))
    assert verdict.invented == ("chin",)
    assert verdict.score == pytest.approx(2 / (4 + INVENTED_WEIGHT * 0.8))


def test_what_cannot_be_seen_is_not_missing() -> None:
    verdict = check_marks(head(yaw=60), [], MAP, SIZES)
    assert len(verdict.hidden) >= 1
    assert set(verdict.hidden) | set(verdict.missing) == {"left", "right", "front", "line"}
    covered = np.zeros(SIZES, np.float32)
    x, y = np.round(place(MAP.marks[0].anchor, head())).astype(int)
    covered[y - 5 : y + 6, x - 5 : x + 6] = 1
    assert check_marks(head(), [], MAP, SIZES, hidden=covered).hidden == ("left",)
    small = Face(head().box_xyxy, head().landmarks * np.float32(0.1), 1, 1, head().pose)
    assert check_marks(small, [], map_with(mole(50)), (80, 80)).hidden == ("m",)


def test_a_mark_to_be_removed_is_not_missed_and_unwanted_when_there() -> None:
    changed = MAP.with_action("right", "remove")
    assert "right" not in check_marks(head(), [], changed, SIZES).missing
    verdict = check_marks(head(), [mole(280, "b")], changed, SIZES)
    assert verdict.invented == ("b",)
    assert "right" not in verdict.found


def test_nothing_to_check_is_fine_and_an_invention_is_not() -> None:
    assert check_marks(head(), [], MarksMap(), SIZES).score == 1
    assert check_marks(head(), [mole(50)], MarksMap(), SIZES).score == 0


def test_retouching_leaves_kept_marks_alone() -> None:
    face, noisy = head(), skin(noise=12)
    mask = kept_mask(face, MAP.with_action("right", "remove"), SIZES)
    retouched = smooth(noisy, 1.0, protect=mask)
    for name, is_kept in (("left", True), ("right", False), ("front", True)):
        mark = next(m for m in MAP.marks if m.mark_id == name)
        x, y = np.round(place(mark.anchor, face)).astype(int)
        rows = slice(y - 2, y + 3), slice(x - 2, x + 3)
        assert (retouched[rows] == noisy[rows]).all() == is_kept
    x, y = np.round(place(MAP.wrinkles[0].anchors[2], face)).astype(int)
    assert mask[y, x] == 1
    assert mask.mean() < 0.05


def test_marks_on_the_far_side_protect_nothing() -> None:
    both = map_with(mole(50, "left"), mole(280, "right"))
    masks = [kept_mask(head(yaw=60), replace(both, marks=(mark,)), SIZES).max() for mark in both.marks]
    assert sorted(masks) == [0, 1]
