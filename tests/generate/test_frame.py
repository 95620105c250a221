"""Parts of a portrait as a base sees them: masks, and carrying back what was painted."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.frame import Frame, View, face_masks
from portraitist.types import Face, Image

SIDE = 64


@pytest.fixture(scope="module")
def face(astronaut: Image, reader: FaceReader) -> Face:
    return reader.read(astronaut, embed=False)[0]


def test_nothing_painted_is_nothing_changed(astronaut: Image, face: Face) -> None:
    """The difference of a picture to itself is carried back as nothing, to the last bit."""
    frame = Frame.around(astronaut, face, SIDE)
    mask = np.ones((SIDE, SIDE), np.float32)
    carried, weight = frame.carry_back(astronaut, frame.image, mask)
    np.testing.assert_array_equal(carried, astronaut)
    assert weight.max() == 1


def test_an_empty_mask_carries_nothing(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    carried, weight = frame.carry_back(astronaut, 255 - frame.image, np.zeros((SIDE, SIDE), np.float32))
    np.testing.assert_array_equal(carried, astronaut)
    assert weight.max() == 0


@pytest.mark.parametrize("side", [64, 512])
def test_a_lighter_face_comes_back_lighter(side: int, astronaut: Image, face: Face) -> None:
    """As a difference from a coarse frame, as a replacement from a fine one: the same light, in the same place."""
    frame = Frame.around(astronaut, face, side)
    assert frame.is_as_fine == (side == 512)
    inner, _ = face_masks(frame.face, (side, side), TwoPassConfig())
    lighter = np.clip(frame.image.astype(int) + 30, 0, 255).astype(np.uint8)
    carried, weight = frame.carry_back(astronaut, lighter, inner)
    sure = (weight > 0.99) & (astronaut.max(axis=2) < 220)
    gained = carried[sure].astype(int) - astronaut[sure]
    assert gained.mean() == pytest.approx(30, abs=1.5)
    np.testing.assert_array_equal(carried[weight == 0], astronaut[weight == 0])


def test_a_coarse_frame_keeps_the_photo_s_detail(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    inner, _ = face_masks(frame.face, (SIDE, SIDE), TwoPassConfig())
    grey = np.full_like(frame.image, 128)
    carried, weight = frame.carry_back(astronaut, grey, inner)
    sharp = [np.abs(np.diff(image.astype(int), axis=1))[weight[:, 1:] > 0.99].mean() for image in (carried, astronaut)]
    assert sharp[0] > 0.5 * sharp[1]


def test_a_fine_frame_replaces(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, 512)
    inner, _ = face_masks(frame.face, (512, 512), TwoPassConfig())
    carried, weight = frame.carry_back(astronaut, np.full_like(frame.image, 128), inner)
    assert np.abs(carried[weight > 0.99].astype(int) - 128).max() <= 3


def test_the_masks_are_soft_and_the_ring_lies_on_the_outline(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    inner, ring = face_masks(frame.face, (SIDE, SIDE), TwoPassConfig())
    x, y = np.round(frame.face.landmarks[4, :2]).astype(int)
    assert inner[y, x] == pytest.approx(1, abs=0.01)
    assert ring[y, x] < 0.05
    cheek = np.round(frame.face.landmarks[234, :2]).astype(int)
    beyond = ring[cheek[1], : cheek[0]][::-1]
    assert beyond.max() > 0.4
    assert 0 < int(np.argmax(beyond)) < 0.2 * np.ptp(frame.face.landmarks[:, 0])
    for mask in (inner, ring):
        assert max(mask[[0, -1]].max(), mask[:, [0, -1]].max()) == 0
    assert 0 < ((inner > 0.05) & (inner < 0.95)).mean() < 0.3


def test_the_whole_picture_as_bases_take_it() -> None:
    view = View.whole(np.zeros((300, 1000, 3), np.uint8), 128)
    assert view.image.shape == (32, 128, 3)
    assert not view.is_as_fine
    people = np.zeros((300, 1000), np.float32)
    people[:, 500:] = 1
    assert view.shrunk(people)[:, 64:].min() == 1
