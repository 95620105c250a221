"""Slots are the template's faces, left to right; a template without one teaches."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.scenes.slots import find_slots
from portraitist.types import Image, Pixels


def test_two_people_are_numbered_left_to_right(astronaut: Image, hopper: Image, reader: FaceReader) -> None:
    pair = np.hstack([hopper[:512], astronaut])
    scene = find_slots(Pixels(np.ascontiguousarray(pair)), reader)
    assert [slot.number for slot in scene.slots] == [1, 2]
    assert scene.slots[0].face.centre[0] < 512 < scene.slots[1].face.centre[0]


def test_large_templates_keep_full_size_coordinates(astronaut: Image, reader: FaceReader) -> None:
    import cv2

    large = np.asarray(cv2.resize(astronaut, (3072, 3072), interpolation=cv2.INTER_CUBIC), np.uint8)
    small_face = find_slots(Pixels(astronaut), reader).slots[0].face
    large_face = find_slots(Pixels(large), reader).slots[0].face
    assert np.abs(large_face.centre / 6 - small_face.centre).max() < 3


def test_no_face_is_a_clear_error(reader: FaceReader) -> None:
    with pytest.raises(InputError, match="at least one face, found none"):
        find_slots(Pixels(np.full((300, 400, 3), 127, np.uint8)), reader)
