"""The sitters' marks on finished portraits: on the right person, at the portrait's size, said in the measures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.marks.anchor import anchor_of, place
from portraitist.marks.config import TransferConfig
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import PointMark
from portraitist.placement import Placement
from portraitist.tasks.config import FinishConfig
from portraitist.tasks.finish import Person, finish
from portraitist.types import Face, Image, Portrait

HERE = Placement(threads=2)


@pytest.fixture(scope="module")
def face(astronaut: Image, reader: FaceReader) -> Face:
    return max(reader.read(astronaut), key=lambda found: found.width)


@pytest.fixture(scope="module")
def known(face: Face) -> MarksMap:
    """A dark mole in the middle of one cheek."""
    anchor = anchor_of(face.landmarks[[50, 101, 36, 205], :2].mean(axis=0), face)
    assert anchor is not None
    mole = PointMark("mole-1", "mole", anchor, 4.0, (-35.0, 4.0, 2.0), 9.0, seen_in=("a", "b"))
    return MarksMap((mole,), photos=("a", "b"))


def _lightness(image: Image, point: np.ndarray) -> float:
    x, y = point.round().astype(int)
    return float(image[y - 1 : y + 2, x - 1 : x + 2].mean())


def test_a_mark_is_drawn_and_said(astronaut: Image, face: Face, known: MarksMap, reader: FaceReader) -> None:
    portrait, person = Portrait(astronaut, ()), Person("anna", [], marks=known)
    done = finish(portrait, [person], reader, FinishConfig(), HERE)
    assert done.measures["people"][0]["marks"] == {"put": ["mole-1"], "skipped": {}}
    spot = place(known.marks[0].anchor, face)
    assert _lightness(done.image, spot) < _lightness(astronaut, spot) - 25
    changed = np.abs(done.image.astype(int) - astronaut).sum(axis=2) > 0
    assert changed.sum() < 0.01 * changed.size
    again = finish(replace(portrait, image=done.image), [person], reader, FinishConfig(), HERE)
    assert again.measures["people"][0]["marks"]["skipped"] == {"mole-1": "already there"}
    np.testing.assert_array_equal(again.image, done.image)


def test_nothing_is_drawn_without_a_map_or_with_no_strength(
    astronaut: Image, known: MarksMap, reader: FaceReader
) -> None:
    portrait = Portrait(astronaut, ())
    none = finish(portrait, [Person("anna", [])], reader, FinishConfig(), HERE)
    off = FinishConfig(marks=TransferConfig(marks_strength=0))
    without = finish(portrait, [Person("anna", [], marks=known)], reader, off, HERE)
    for done in (none, without):
        assert done.image is astronaut
        assert "marks" not in done.measures["people"][0]


def test_each_person_has_their_own(astronaut: Image, hopper: Image, known: MarksMap, reader: FaceReader) -> None:
    height = max(astronaut.shape[0], hopper.shape[0])
    pictures = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0))) for p in (astronaut, hopper)]
    both = np.concatenate(pictures, axis=1)
    faces = sorted(reader.read(both), key=lambda found: found.centre[0])
    marked = Person("anna", [], faces[0].centre, marks=known)
    plain = Person("bob", [], faces[-1].centre)
    done = finish(Portrait(both, ()), [marked, plain], reader, FinishConfig(), HERE)
    ours, theirs = done.measures["people"]
    assert ours["marks"]["put"] == ["mole-1"]
    assert "marks" not in theirs
    np.testing.assert_array_equal(done.image[:, astronaut.shape[1] :], both[:, astronaut.shape[1] :])


def test_the_order_may_weigh_the_marks(astronaut: Image, known: MarksMap, reader: FaceReader) -> None:
    config = FinishConfig(marks=TransferConfig(marks_rank=1.0))
    large = cv2.resize(astronaut, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    done = finish(Portrait(large, ()), [Person("anna", [], marks=known)], reader, config, HERE)
    record = done.measures["people"][0]["marks"]
    assert record["put"] == ["mole-1"]
    assert 0 < record["score"] <= 1
