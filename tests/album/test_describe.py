"""Coverage, captions and ranking say what was measured, and nothing about who it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.album.captions import caption
from portraitist.album.coverage import KINDS, cover, framing_kind
from portraitist.album.ranking import frontality, quality_of
from portraitist.types import Expression, Face, Light, Pose, Quality

FORBIDDEN = {"man", "woman", "boy", "girl", "male", "female", "old", "young", "asian", "black", "white", "his", "her"}
ANGLE = st.floats(-90, 90)
UNIT = st.floats(0, 1)


def face(
    yaw: float = 0,
    pitch: float = 0,
    smile: float = 0,
    mouth: float = 0,
    eyes: float = 1,
    level: float = 60,
    x: float = 0,
) -> Face:
    box = np.array([0, 0, 100, 100], np.float32)
    light = Light(level, (x, 0.0), 10.0)
    quality = Quality(1, 1, 1, 1, eyes, 100)
    points = np.empty((0, 3), np.float32)
    return Face(box, points, 1, 1, Pose(yaw, pitch, 0), None, quality, Expression(smile, mouth, eyes), light)


def test_caption_says_pose_expression_light_and_framing() -> None:
    assert caption(face(), (250, 250)) == (
        "a close portrait photo of a person, facing the camera, neutral expression, even light"
    )
    turned = caption(face(yaw=-40, smile=0.9, x=-20), (500, 500), "Anna in red")
    assert turned == "a half-length photo of Anna in red, turned to the left, smiling, light from the left"
    assert "looking up, eyes closed" in caption(face(pitch=20, eyes=0), (2000, 2000))


@given(ANGLE, ANGLE, UNIT, UNIT, UNIT, st.floats(0, 100), st.floats(-60, 60))
def test_no_caption_guesses_who_it_is(
    yaw: float, pitch: float, smile: float, mouth: float, eyes: float, level: float, x: float
) -> None:
    words = set(caption(face(yaw, pitch, smile, mouth, eyes, level, x), (300, 300)).replace(",", "").lower().split())
    assert not words & FORBIDDEN


def test_coverage_counts_everything_once_and_asks_for_what_is_missing() -> None:
    faces = [face(), face(yaw=40), face(smile=0.9), face(level=10)]
    coverage = cover(faces, [(250, 250)] * 4, top_k=15)
    assert set(coverage.counts) == set(KINDS)
    assert all(sum(counts.values()) == 4 for counts in coverage.counts.values())
    assert coverage.counts["pose"] == {"left": 0, "front": 3, "right": 1}
    assert any("turned to the left" in line for line in coverage.advice)
    assert not any("turned to the right" in line or "smile" in line for line in coverage.advice)
    assert "add more photos" in coverage.advice[0]


def test_framing_follows_the_share_of_the_face() -> None:
    assert [framing_kind(face(), (h, h)) for h in (200, 500, 1500)] == ["head", "half", "full"]


@given(ANGLE, ANGLE)
def test_frontality_is_a_unit_measure_that_falls_with_the_turn(yaw: float, pitch: float) -> None:
    value = frontality(Pose(yaw, pitch, 45))
    assert 0 <= value <= frontality(Pose(yaw * 0.9, pitch * 0.9, 0)) <= 1


def test_frontality_points() -> None:
    assert frontality(Pose(0, 0, 80)) == 1
    assert frontality(Pose(30, 0, 0)) == pytest.approx(0.5)
    assert quality_of(face()) == pytest.approx(1)
