"""The identity table on made-up results: every figure can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.identity_albums import kept_back, within_reach
from benchmarks.identity_measures import differs
from benchmarks.identity_table import (
    A,
    B,
    Mean,
    copies,
    curves_table,
    distance,
    found_share,
    less,
    markdown,
    mean_of,
    ways_table,
)
from portraitist.types import Embedding, Expression, Face, Pose


def picture(distance: float | None, pixels: float | None = 0.3, **more: Any) -> dict[str, Any]:
    return {"distance": distance, "pixels": pixels, "photo_distance": 0.5, "differs": True, **more}


def result(name: str = "one", kind: str = "london", **rows: Any) -> dict[str, Any]:
    check = {"step": 100, "validation_loss": 0.5, "scores": [{"distance": 0.6, "excess": 0.1, "kind": "text"}]}
    training = {
        "seconds": 100.0, "peak_gb": 1.5, "is_fused": True, "fusion": 0.5, "single": 0.6, "checks": [check]
    }  # fmt: skip
    own = {"pixels": [0.6, 0.8], "distance": [0.2, 0.3]}
    return {"name": name, "kind": kind, "training": training, "rows": rows, "floor": [0.2, 0.4], "own": own}


def test_a_picture_without_a_face_counts_as_a_stranger() -> None:
    assert distance("b")(result(b=[picture(0.4), picture(None, None)])) == pytest.approx(0.8)


def test_a_face_with_no_report_photo_left_is_left_out() -> None:
    assert distance("c")(result(c=[picture(0.4), picture(None)])) == pytest.approx(0.4)
    assert distance("c")(result(c=[picture(None)])) is None


def test_differences_are_taken_within_an_album() -> None:
    measured = result(a=[picture(0.8)], b=[picture(0.5)])
    assert less(B, A)(measured) == pytest.approx(-0.3)
    assert less(B, A)(result(a=[picture(0.8)])) is None


def test_shares() -> None:
    measured = result(b=[picture(0.4, 0.9), picture(0.4, 0.7, differs=False), picture(None, None)])
    assert copies("b")(measured) == pytest.approx(0.5)
    assert found_share("b")(measured) == pytest.approx(2 / 3)
    assert mean_of("b", "differs")(measured) == pytest.approx(2 / 3)


def test_the_interval_holds_the_mean_and_shrinks_with_albums() -> None:
    few, many = Mean.over([0.0, 1.0] * 4), Mean.over([0.0, 1.0] * 100)
    assert few is not None
    assert many is not None
    assert few.low < few.value == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 3
    assert Mean.over([]) is None


def test_every_set_has_a_column_and_failures_are_named() -> None:
    rows = {"a": [picture(0.8)], "b": [picture(0.5)], "c": [picture(0.5)], "d": [picture(0.45)]}
    failed = {"name": "three", "kind": "lisa", "error": "no face"}
    text = markdown([result(**rows), result("two", "caltech", **rows), failed])
    assert "| | london, 1 albums | caltech, 1 albums | all, 2 albums | target |" in text
    assert "| (b) - (a) | -0.300 | -0.300 | -0.300 (-0.300 to -0.300) | -0.15 or less |" in text
    assert "| fusion kept | 1 of 1; fusion less best single -0.100 |" in text
    assert "Not measured: three: no face" in text


def test_ways_are_compared_over_the_albums_they_share() -> None:
    near, far = [picture(0.4)], [picture(0.6)]
    text = ways_table({"usual": [result(b=far), result("two", b=near)], "other": [result(b=near)]})
    assert "| 1 albums |" in text
    assert "| usual | 0.600 | 0.000 |" in text
    assert "| other | 0.400 | -0.200 |" in text


def test_curves_have_a_line_for_each_step() -> None:
    assert "| rate 0.001 | 100 | 2 | 0.600 | 100 | 0.5000 |" in curves_table({"rate 0.001": [result(), result("two")]})


def test_small_albums_keep_every_fourth_photo_back() -> None:
    photos = [Path(f"{i}.jpg") for i in range(8)]
    assert kept_back(photos) == (photos[3], photos[7])
    assert kept_back(photos[:2]) == (photos[1],)
    assert kept_back(photos[:1]) == ()


def test_only_what_is_near_the_most_central_one_is_kept() -> None:
    values = (0.0, 0.1, 0.2, 0.3, 0.9)
    near, medoid = within_reach([Embedding(np.array([value], np.float32), "test") for value in values], 0.45)
    assert near == [True, True, True, True, False]
    assert medoid == 2


def face(yaw: float = 0.0, smile: float = 0.2, mouth: float = 0.0) -> Face:
    points = np.zeros((468, 3), np.float32)
    return Face(np.zeros(4, np.float32), points, 1, 1, Pose(yaw, 0, 0), expression=Expression(smile, mouth, 1))


@pytest.mark.parametrize(
    ("other", "is_other"),
    [(face(), False), (face(yaw=9), False), (face(yaw=11), True), (face(smile=0.6), True), (face(mouth=0.4), True)],
)
def test_another_pose_or_expression(other: Face, is_other: bool) -> None:
    assert differs(face(), other) is is_other
