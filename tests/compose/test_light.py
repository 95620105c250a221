"""Light is found over the normals and moved."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.compose.light import fit_shading, harmonics, shading_difference
from portraitist.faces.topology import mean_face, vertex_normals

MESH = (mean_face() * 1.4 + [128, 128, 0]).astype(np.float32)


def lit(direction: tuple[float, float, float]) -> np.ndarray:
    """(256, 256, 3) LAB of a face lit from a direction, painted vertex by vertex."""
    from portraitist.compose.texture import triangle_map, warp_map

    shade = 60 + 20 * vertex_normals(MESH) @ np.asarray(direction, np.float32)
    index = triangle_map(MESH, (256, 256))
    field = np.nan_to_num(warp_map(shade[:, None], MESH, index)[..., 0], nan=60.0)
    return np.dstack([field, np.zeros_like(field), np.zeros_like(field)]).astype(np.float32)


def test_the_fit_recovers_a_linear_shade() -> None:
    normals = vertex_normals(MESH)
    wanted = 55 + normals @ np.array([12.0, -5.0, 3.0])
    fit = harmonics(normals) @ fit_shading(wanted, np.ones(len(normals)), normals)
    assert np.abs(fit - wanted).mean() < 1.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_difference_turns_the_light(side: float) -> None:
    skin = np.ones((256, 256), np.float32)
    change = shading_difference(lit((side, 0, 0)), skin, lit((-side, 0, 0)), skin, MESH)
    right, left = change[[280, 425, 411]].mean(), change[[50, 205, 187]].mean()
    assert side * (right - left) > 5


def test_equal_light_changes_nothing() -> None:
    skin = np.ones((256, 256), np.float32)
    assert np.abs(shading_difference(lit((1, 0, 0)), skin, lit((1, 0, 0)), skin, MESH)).max() < 1e-3
