"""Disguises: level 0 is the face, the next are other faces, the last are cells that say nothing of anybody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraitist.stylize.disguise import FOR_FILMS, LADDER, LEVELS, disguised
from portraitist.types import Face
from tests.marks.meshes import face_of

SIDE = 128
FRAME = np.random.default_rng(4).integers(0, 256, (SIDE, SIDE + 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def face() -> Face:
    across, down = np.meshgrid(np.linspace(50, 110, 26), np.linspace(24, 108, 18))
    return face_of(np.stack([across.ravel(), down.ravel(), np.zeros(468)], axis=1).astype(np.float32))


def test_level_0_is_the_face_and_every_other_is_not(face: Face) -> None:
    assert disguised(FRAME, face, 0) is FRAME
    before = FRAME.copy()
    for level in range(1, LEVELS + 1):
        made = disguised(FRAME, face, level)
        assert made.shape == FRAME.shape
        assert (made != FRAME).mean() > 0.1
        assert np.array_equal(made, disguised(FRAME, face, level)), "the same again"
    assert np.array_equal(FRAME, before)
    assert np.array_equal(disguised(FRAME, face, LEVELS + 5), disguised(FRAME, face, LEVELS))


def test_directions_differ(face: Face) -> None:
    first, second = (disguised(FRAME, face, level) for level in (1, 2))
    assert LADDER[0].seed != LADDER[1].seed
    assert not np.array_equal(first, second)


def test_cells_are_of_one_colour_and_change_places_within_the_face_only(face: Face) -> None:
    plain = next(level for level, step in enumerate(LADDER, start=1) if step.cells)
    assert LADDER[FOR_FILMS - 1] == replace(LADDER[plain - 1], dealt=True)
    mosaic, shuffled = disguised(FRAME, face, plain), disguised(FRAME, face, FOR_FILMS)
    cell = round(float(np.ptp(face.landmarks[:, 0])) / 8)
    assert (mosaic[:cell, :cell] == mosaic[0, 0]).all()
    same = (mosaic == shuffled).all(axis=2)
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    y, x = np.nonzero(~same)
    assert len(y) > 0
    assert (x >= low[0] - cell).all()
    assert (x <= high[0] + cell).all()
    assert (y >= low[1] - cell).all()
    assert (y <= high[1] + cell).all()
    assert sorted(map(tuple, mosaic[::cell, ::cell].reshape(-1, 3))) == sorted(
        map(tuple, shuffled[::cell, ::cell].reshape(-1, 3))
    )
