"""A view is upright and of one size, its points go back to the photo, and its skin mask leaves out what is no skin."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.faces.topology import LEFT_EYE_RING, LIPS_OUTER
from portraitist.marks.found import FoundMark
from portraitist.marks.view import SkinView, skin_view
from tests.marks.meshes import head

SIZE = 800
PLAIN = np.full((SIZE, SIZE, 3), 150, np.uint8)


def _view(turn: float = 0.0, side: int = 512) -> SkinView:
    return skin_view(PLAIN, head(roll=turn), side)


def _at(view: SkinView, vertices: tuple[int, ...]) -> float:
    x, y = view.face.landmarks[list(vertices), :2].mean(axis=0).round().astype(int)
    return float(view.skin[y, x])


@pytest.mark.parametrize("turn", [0.0, 40.0, -120.0])
def test_a_view_is_upright_and_shows_bare_skin(turn: float) -> None:
    view = _view(turn)
    eyes, chin = view.face.landmarks[list(LEFT_EYE_RING)].mean(0), view.face.landmarks[152]
    assert chin[1] > eyes[1] + 0.3 * view.side
    assert _at(view, LEFT_EYE_RING) == 0
    assert _at(view, LIPS_OUTER) == 0
    assert _at(view, (20, 60, 79)) == 0
    assert _at(view, (50, 101, 36, 205)) == 1
    assert view.skin[0, 0] == 0


def test_points_go_back_to_the_photo() -> None:
    view = _view(25.0)
    mark = FoundMark("mole", np.array([[200.0, 300.0]], np.float32), 8.0, 0.9)
    there = mark.in_photo(view)
    np.testing.assert_allclose(view.from_photo(there.points), mark.points, atol=1e-2)
    assert there.diameter == pytest.approx(8.0 / view.scale)


def test_the_ruler_follows_the_side() -> None:
    assert _view(side=512).mm == pytest.approx(2 * _view(side=1024).mm, rel=1e-3)


def test_what_covers_the_face_is_no_skin() -> None:
    face = head()
    hidden = np.zeros((SIZE, SIZE), np.float32)
    hidden[:, 400:] = 1
    view = skin_view(PLAIN, face, 512, hidden=hidden)
    left, right = view.skin[:, :240].sum(), view.skin[:, 272:].sum()
    assert left > 10_000
    assert right == 0


def test_beyond_the_photo_there_is_no_skin() -> None:
    face = head().moved(-360, 0)
    view = skin_view(PLAIN, face, 512)
    edge = view.from_photo(np.array([[0.0, 400.0]]))[0]
    assert view.skin[:, : int(edge[0]) - 2].sum() == 0
    assert view.skin.sum() > 10_000
