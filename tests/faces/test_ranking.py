"""Likeness leaves the source out, and a copied face is noticed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.faces.likeness import MIDPOINT, likeness
from portraitist.faces.ranking import copy_paste, measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.types import Embedding, Face, Image, Pixels, Pose, Reference


def face_at(value: float) -> Face:
    vector = np.full(4, value, np.float32)
    points = np.zeros((468, 3), np.float32)
    return Face(np.zeros(4, np.float32), points, 1.0, 1.0, Pose(0, 0, 0), Embedding(vector, "toy"))


def reference_at(value: float) -> Reference:
    return Reference(Pixels(np.full((2, 2, 3), int(value * 100), np.uint8)), face_at(value))


def test_likeness_falls_with_distance() -> None:
    assert likeness(MIDPOINT) == pytest.approx(0.5)
    assert likeness(0.25) > 0.9 > 0.2 > likeness(0.6)
    assert likeness(1e9) >= 0


def test_the_source_photo_never_counts() -> None:
    source, near, far = (reference_at(v) for v in (0.0, 0.1, 0.4))
    measured = measure_likeness(face_at(0.0), [source, near, far], {source.picture.digest})
    assert measured.best_distance == pytest.approx(0.2)
    assert measured.mean3_distance == pytest.approx(0.5)
    assert measured.compared == 2


def test_with_no_photo_left_it_is_not_measurable() -> None:
    only = reference_at(0.0)
    measured = measure_likeness(face_at(0.0), [only], {only.picture.digest})
    assert not measured.measurable
    assert measured.score is None


def test_a_recoloured_copy_is_noticed(reader: FaceReader, astronaut: Image, hopper: Image) -> None:
    (collins,), (admiral,) = reader.read(astronaut), reader.read(hopper)
    references = [Reference(Pixels(astronaut), collins), Reference(Pixels(hopper), admiral)]
    recoloured = np.asarray(cv2.convertScaleAbs(astronaut, alpha=0.8, beta=25), np.uint8)
    (copied,) = reader.read(recoloured)
    found = copy_paste(recoloured, copied, references)
    assert found is not None
    assert found.nearest == references[0].picture.digest
    assert found.pixels > 0.95
    assert found.album_pixels is not None
    assert found.album_pixels < 0.7
    assert found.excess > 0.2
    assert copy_paste(recoloured, copied, []) is None
