"""Pictures for controls: lines where the mesh is, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.diffusion.conditions import draw_canny, draw_colour_grid, draw_face_points, draw_mesh
from portraitist.faces.topology import mean_face
from portraitist.types import Image, Points


def mesh_in(side: int, shift: float = 0.0) -> Points:
    """The mean face in the middle of a square picture."""
    points = mean_face()[:, :2]
    scale = 0.5 * side / np.ptp(points[:, 1])
    return ((points - points.mean(axis=0)) * scale + side / 2 + shift).astype(np.float32)


def test_the_mesh_is_drawn_inside_its_box() -> None:
    points = mesh_in(128)
    drawn = draw_mesh(points, (128, 128))
    assert drawn.shape == (128, 128, 3)
    rows, columns = np.nonzero(drawn.any(axis=2))
    low, high = points.min(axis=0) - 2, points.max(axis=0) + 2
    assert columns.min() >= low[0]
    assert columns.max() <= high[0]
    assert rows.min() >= low[1]
    assert rows.max() <= high[1]
    assert all(drawn[..., channel].any() for channel in range(3))


def test_half_a_pixel_shows() -> None:
    assert (draw_mesh(mesh_in(128), (128, 128)) != draw_mesh(mesh_in(128, shift=0.5), (128, 128))).any()


def test_a_mesh_outside_the_picture_draws_nothing() -> None:
    assert not draw_mesh(mesh_in(64) + 1000, (64, 64)).any()


def test_depth_is_ignored() -> None:
    flat = mesh_in(64)
    deep = np.column_stack([flat, np.arange(468)]).astype(np.float32)
    np.testing.assert_array_equal(draw_mesh(flat, (64, 64)), draw_mesh(deep, (64, 64)))


def test_edges_are_where_the_picture_changes(astronaut: Image) -> None:
    drawn = draw_canny(astronaut)
    assert drawn.shape == astronaut.shape
    assert set(np.unique(drawn)) == {0, 255}
    assert not draw_canny(np.full((64, 64, 3), 128, np.uint8)).any()


def test_face_points_lie_on_the_face() -> None:
    points = mesh_in(256)
    drawn = draw_face_points(points, (256, 256))
    np.testing.assert_array_equal(drawn[..., 0], drawn[..., 2])
    rows, columns = np.nonzero(drawn[..., 0])
    low, high = points.min(axis=0) - 4, points.max(axis=0) + 4
    assert columns.min() >= low[0]
    assert rows.min() >= low[1]
    assert columns.max() <= high[0]
    assert rows.max() <= high[1]
    x, y = np.round(points[33]).astype(int)
    assert drawn[y, x, 0] == 255
    # Left and right alike: the mean face is nearly its own mirror image, and so are the chosen vertices.
    middle, halves = round(points[4, 0]), drawn[..., 0] > 0
    assert halves[:, :middle].sum() == pytest.approx(halves[:, middle:].sum(), rel=0.1)


def test_the_grid_is_mean_colours(astronaut: Image) -> None:
    grid = draw_colour_grid(astronaut, 8)
    assert grid.shape == astronaut.shape
    side = astronaut.shape[0] // 8
    for row, column in ((0, 0), (3, 4), (7, 7)):
        cell = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
        assert np.ptp(grid[cell].reshape(-1, 3), axis=0).max() == 0
        np.testing.assert_allclose(grid[cell][0, 0], astronaut[cell].reshape(-1, 3).mean(axis=0), atol=1)
    assert draw_colour_grid(astronaut[:100]).shape == (100, *astronaut.shape[1:])
