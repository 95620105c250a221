"""Pictures for controls: lines where the mesh is, and nowhere else."""

from __future__ import annotations

import numpy as np

from portraitist.diffusion.conditions import draw_canny, draw_mesh
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
