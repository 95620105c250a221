"""Poses are taken over, outlines follow, and the bend neither folds nor reaches too far."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.compose.shape import LARGEST_REGION, bend_template, oval_root, pose_like, target_mesh
from portraitist.faces.pose import estimate_pose
from portraitist.faces.topology import OVAL, mean_face
from portraitist.geometry import rotation_from_angles
from portraitist.types import Points


def head(yaw: float = 0, pitch: float = 0, roll: float = 0, *, width: float = 1.0, scale: float = 1.6) -> Points:
    """A mean face in a 320 px picture, made wider or narrower, turned."""
    turned = (mean_face() * [width, 1, 1]) @ rotation_from_angles(yaw, pitch, roll).T
    return (turned * scale + [160, 160, 0]).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.floats(-40, 40), st.floats(-20, 20), st.floats(-40, 40), st.floats(0.85, 1.15))
def test_the_sitter_takes_the_pose_of_the_template(yaw: float, pitch: float, roll: float, width: float) -> None:
    template = head(yaw, pitch, roll)
    posed = pose_like(head(10, 5, -8, width=width, scale=2.3), template)
    wanted, found = estimate_pose(template), estimate_pose(posed)
    assert np.abs(np.subtract((found.yaw, found.pitch, found.roll), (wanted.yaw, wanted.pitch, wanted.roll))).max() < 6


@pytest.mark.parametrize("width", [0.9, 1.1])
def test_outline_strength_moves_the_outline_and_not_the_features(width: float) -> None:
    sitter, template = head(width=width), head()
    ring = list(OVAL)
    shift = [np.abs(target_mesh(sitter, template, s) - template)[ring, 0].mean() for s in (0.0, 0.5, 1.0)]
    assert shift[0] < 0.5 < shift[1] < shift[2]
    eyes = [33, 133, 362, 263]
    assert np.abs(target_mesh(sitter, template, 0.0) - target_mesh(sitter, template, 1.0))[eyes].max() < 1.5


@settings(max_examples=15, deadline=None)
@given(st.floats(0.8, 1.2), st.floats(-30, 30))
def test_the_bend_never_folds_and_rests_within_its_region(width: float, yaw: float) -> None:
    sitter, template = head(yaw, width=width), head(yaw)
    bend = bend_template(template, target_mesh(sitter, template, 1.0), (320, 320))
    columns = np.arange(320) + bend.field[..., 0]
    rows = np.arange(320)[:, None] + bend.field[..., 1]
    # Sampling positions that run backwards would show a piece of the template twice, mirrored.
    assert np.diff(columns, axis=1).min() > -0.25
    assert np.diff(rows, axis=0).min() > -0.25
    assert (bend.reach > 0).sum() / oval_root(template) ** 2 < LARGEST_REGION + 0.08
    assert np.abs(bend.field[bend.reach == 0]).max() == 0


def test_the_same_face_bends_nothing() -> None:
    bend = bend_template(head(), target_mesh(head(), head(), 1.0), (320, 320))
    assert np.abs(bend.field).max() < 0.3
