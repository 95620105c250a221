"""What was drawn is measured: place on the mesh, millimetres, colour; the patch holds the mark and not its skin."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.marks.anchor import millimetres_per_pixel, place
from portraitist.marks.found import FoundMark
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.marks.measure import measured
from tests.marks.meshes import head
from tests.marks.skin_textures import (
    CHEEK,
    CHIN,
    DARK,
    FAIR,
    FOREHEAD,
    beside,
    photo,
    vertex,
    view_of,
    with_disc,
    with_line,
)

MM = millimetres_per_pixel(head())


def _found(view, points, diameter: float, kind: str = "mole") -> FoundMark:  # type: ignore[no-untyped-def]
    """As a detector gives it; diameter in pixels of the photo."""
    return FoundMark(kind, view.from_photo(np.atleast_2d(points)), diameter * view.scale, 0.8)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("colour", "offset", "guess"),
    [
        (FAIR, (-18.0, 3.0, 4.0), 0.75),
        (FAIR, (-5.0, 8.0, 1.0), 1.3),
        (DARK, (-14.0, 0.0, -1.0), 1.3),
        (DARK, (8.0, -3.0, -3.0), 0.75),
    ],
)
def test_size_and_colour_are_those_drawn(
    colour: tuple[float, float, float], offset: tuple[float, float, float], guess: float
) -> None:
    diameter = 12.0
    view = view_of(with_disc(photo(colour, grain=0.5), vertex(CHIN), diameter, offset))
    mark = measured(_found(view, vertex(CHIN), guess * diameter), view)
    assert isinstance(mark, PointMark)
    assert mark.diameter_mm == pytest.approx(diameter * MM, rel=0.2)
    np.testing.assert_allclose(mark.colour_offset, offset, atol=2.0)
    assert mark.contrast > 2
    np.testing.assert_allclose(mark.skin, colour, atol=0.12 * colour[0])
    np.testing.assert_allclose(place(mark.anchor, view.face), view.from_photo(vertex(CHIN)[None])[0], atol=0.5)


def test_the_patch_is_the_mark_and_no_skin() -> None:
    view = view_of(with_disc(photo(grain=0.5), vertex(CHIN), 12.0, (-20.0, 3.0, 4.0)))
    mark = measured(_found(view, vertex(CHIN), 12.0), view)
    assert isinstance(mark, PointMark)
    assert mark.patch is not None
    side = mark.patch.shape[0]
    share = mark.patch[..., 3] / 255
    steps = (np.arange(side) - (side - 1) / 2) * 3 / side
    radius = np.hypot(steps[:, None], steps[None, :])
    assert share[radius < 0.3].min() > 0.8
    assert share[radius > 0.8].max() < 0.05
    inside, outside = mark.patch[radius < 0.3, :3].mean(0), mark.patch[radius > 1, :3].mean(0)
    assert (outside - inside).mean() > 25


def test_on_plain_skin_little_is_mark() -> None:
    view = view_of(photo())
    mark = measured(_found(view, vertex(CHEEK), 8.0), view)
    assert isinstance(mark, PointMark)
    assert np.linalg.norm(mark.colour_offset) < 3
    assert 0 < mark.diameter_mm < 6


@pytest.mark.parametrize("at", [(2.0, 2.0), (400.0, 30.0)])
def test_off_the_face_there_is_no_anchor(at: tuple[float, float]) -> None:
    view = view_of(photo())
    assert measured(_found(view, np.array(at), 8.0), view) is None
    assert measured(_found(view, np.array([at, np.add(at, 3)]), 2.0, "wrinkle"), view) is None


@pytest.mark.parametrize("width", [2.0, 4.0])
def test_a_crease_has_the_width_and_depth_drawn(width: float) -> None:
    along = np.linspace(beside(FOREHEAD, -40, 10), beside(FOREHEAD, 40, 10), 12)
    view = view_of(with_line(photo(grain=0.3), along, width, 8.0))
    mark = measured(_found(view, along, width, "wrinkle"), view)
    assert isinstance(mark, Wrinkle)
    assert len(mark.anchors) >= 6
    # The line itself is a pixel wide before it is blurred.
    assert np.median(mark.width_mm) == pytest.approx(np.hypot(width, 1) * MM, rel=0.3)
    assert np.median(mark.depth) == pytest.approx(8.0, rel=0.3)
    assert mark.skin is not None
