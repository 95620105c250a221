"""What a mark and an annotated photo may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark, check_inside, checked_file
from portraitist.marks.kinds import KINDS, POINT_KINDS


def _points(*pairs: tuple[float, float]) -> Any:
    return np.array(pairs, np.float32).reshape(-1, 2)


def test_the_wrinkle_is_the_one_kind_that_is_no_point() -> None:
    assert set(KINDS) - set(POINT_KINDS) == {"wrinkle"}
    assert KINDS == ("mole", "spot", "pimple", "scar", "wrinkle")


@pytest.mark.parametrize(
    ("kind", "points", "diameter", "found"),
    [
        ("freckle", _points((1, 1)), None, "freckle"),
        ("mole", _points((1, 1), (2, 2)), None, "found 2"),
        ("mole", _points(), None, "found 0"),
        ("wrinkle", _points((1, 1)), None, "found 1"),
        ("mole", _points((np.nan, 1)), None, "finite"),
        ("mole", np.zeros((1, 3), np.float32), None, "shape"),
        ("mole", _points((1, 1)), 0.0, "above 0"),
        ("mole", _points((1, 1)), float("nan"), "above 0"),
        ("mole", _points((1, 1)), float("inf"), "above 0"),
    ],
)
def test_what_is_no_mark_is_refused(kind: Any, points: Any, diameter: float | None, found: str) -> None:
    with pytest.raises(InputError, match=found):
        AnnotatedMark(kind, points, diameter)


def test_points_become_float32() -> None:
    assert AnnotatedMark("scar", np.array([[1, 2]])).points.dtype == np.float32  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["", "/a.jpg", "../a.jpg", "a/../b.jpg", "a//b", "./a", "a\\b", "C:a.jpg", "a\0", 7, None]
)
def test_file_names_that_leave_the_folder_are_refused(name: object) -> None:
    with pytest.raises(InputError, match="file name"):
        checked_file(name)


def test_other_file_names_are_taken() -> None:
    for name in ("a.jpg", "脸/一 (2).jpg", "a..b/c.jpg"):
        assert checked_file(name) == name


def test_an_image_checks_its_facts() -> None:
    for size, digest, crowded in (((0, 5), None, ()), (None, "abc", ()), (None, None, (_points((1, 1), (2, 2)),))):
        with pytest.raises(InputError):
            AnnotatedImage("a.jpg", size, digest, (), crowded)


def test_the_edge_is_inside() -> None:
    check_inside(_points((0, 0), (10, 20)), (10, 20))
    check_inside(_points((1e6, -5)), None)
    with pytest.raises(InputError, match="inside 10 x 20"):
        check_inside(_points((10.5, 3)), (10, 20))
