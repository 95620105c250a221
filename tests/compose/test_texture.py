"""The warp carries pixels where the mesh says."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.compose.texture import (
    facing,
    prefiltered,
    soften_silhouettes,
    triangle_map,
    warp_map,
    warp_texture,
)
from portraitist.faces.topology import mean_face
from portraitist.geometry import rotation_from_angles
from portraitist.types import Image, Points


def mesh(scale: float, x: float, y: float, yaw: float = 0) -> Points:
    turned = mean_face() @ rotation_from_angles(yaw, 0, 0).T
    return (turned * scale + [x, y, 0]).astype(np.float32)


def test_a_warp_onto_itself_changes_nothing(astronaut: Image) -> None:
    points = mesh(1.2, 220, 130)
    index = triangle_map(points, astronaut.shape[:2])
    positions = warp_map(points[:, :2], points, index)
    inside = index >= 0
    y, x = np.nonzero(inside)
    assert inside.sum() > 10_000
    assert np.abs(positions[inside] - np.column_stack([x, y])).max() < 0.05
    warped = warp_texture(astronaut, positions) * 255
    assert np.abs(warped[inside] - astronaut[inside]).mean() < 1.0


@pytest.mark.parametrize("yaw", [0, 25, -25])
def test_positions_follow_a_shift_and_a_turn(yaw: float) -> None:
    target, source = mesh(1.0, 160, 160, yaw), mesh(1.5, 400, 300, 0)
    index = triangle_map(target, (320, 320))
    positions = warp_map(source[:, :2], target, index)
    nose = np.round(target[1, :2]).astype(int)
    assert np.abs(positions[nose[1], nose[0]] - source[1, :2]).max() < 4
    assert np.isnan(positions[index < 0]).all()


def test_eyes_and_mouth_are_no_holes() -> None:
    points = mesh(1.2, 160, 160)
    index = triangle_map(points, (320, 320))
    for middle in (points[[159, 145], :2].mean(0), points[[386, 374], :2].mean(0), points[[13, 14], :2].mean(0)):
        assert index[round(float(middle[1])), round(float(middle[0]))] >= 0


def test_facing_falls_on_the_side_turned_away() -> None:
    turned = facing(mesh(1, 0, 0, 40))[:, 0]
    left, right = turned[[234, 93, 132]].mean(), turned[[454, 323, 361]].mean()
    assert abs(left - right) > 0.3


def test_prefilter_only_shrinks(astronaut: Image) -> None:
    assert prefiltered(astronaut, 1.4)[1] == prefiltered(astronaut, 0.77)[1] == 1.0
    small, factor = prefiltered(astronaut, 0.25)
    assert small.shape[:2] == (166, 166)
    assert factor == 166 / 512


def test_only_where_one_part_ends_before_another_is_anything_softened(astronaut: Image) -> None:
    y, x = np.mgrid[:60, :60].astype(np.float32)
    # A slanted silhouette: left of it another part of the photo is seen, and a speck of a part seen edge-on.
    beyond = x > 20 + y / 3
    positions = np.stack([np.where(beyond, x + 40, x), y], axis=-1)
    front = np.where(beyond, 0.9, 0.4).astype(np.float32)[..., None].repeat(3, axis=2)
    jagged = front.copy()
    jagged[30, 30] = 0.0
    soft = soften_silhouettes(jagged, positions)
    assert soft.min() > 0.3
    steps = np.abs(np.diff(soft[..., 0], axis=1)).max()
    assert steps < 0.7 * np.abs(np.diff(front[..., 0], axis=1)).max()
    away = np.abs(x - (20 + y / 3)) > 8
    np.testing.assert_allclose(soft[away], jagged[away], atol=1e-3)

    points = mesh(1.2, 220, 130)
    index = triangle_map(points, astronaut.shape[:2])
    own = warp_map(points[:, :2], points, index)
    plain = warp_texture(astronaut, own)
    changed = np.abs(soften_silhouettes(plain, own) - plain)[index >= 0]
    assert (changed > 0.02).mean() < 0.02, "head-on, no part of a face ends before another"
