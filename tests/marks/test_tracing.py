"""Lines are followed through gaps of strength, branches become lines of their own, specks none."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.marks.tracing import trace_lines


def _heat(*lines: list[tuple[int, int]], value: float = 0.9) -> np.ndarray:
    canvas = np.zeros((60, 80), np.float32)
    for line in lines:
        cv2.polylines(canvas, [np.int32(line).reshape(-1, 1, 2)], False, value, 2)
    return cv2.GaussianBlur(canvas, (3, 3), 0)


def _length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def test_a_straight_line_lies_where_it_was_drawn() -> None:
    (line,) = trace_lines(_heat([(10, 30), (70, 30)]), 0.3, 0.6, 8)
    assert abs(_length(line) - 60) < 5
    assert len(line) < 10
    assert np.abs(line[:, 1] - 30.5).max() < 1


def test_a_line_is_followed_where_it_is_weak_but_not_begun_there() -> None:
    heat = _heat([(10, 30), (70, 30)])
    heat[:, 40:] *= 0.5
    (line,) = trace_lines(heat, 0.3, 0.6, 8)
    assert _length(line) > 50
    assert trace_lines(0.5 * heat, 0.3, 0.6, 8) == []


def test_a_branch_is_a_line_of_its_own() -> None:
    lines = trace_lines(_heat([(10, 30), (70, 30)], [(40, 30), (40, 52)]), 0.3, 0.6, 8)
    assert sorted(round(_length(line), -1) for line in lines) == [20, 60]


def test_specks_are_no_lines() -> None:
    heat = _heat([(10, 10), (12, 10)], [(50, 50), (52, 51)])
    assert trace_lines(heat, 0.3, 0.6, 8) == []
    assert trace_lines(np.zeros_like(heat), 0.3, 0.6, 8) == []


def test_a_ring_is_traced_without_end() -> None:
    canvas = np.zeros((60, 80), np.float32)
    cv2.circle(canvas, (40, 30), 15, 0.9, 2)
    assert sum(map(_length, trace_lines(canvas, 0.3, 0.6, 8))) > 40
