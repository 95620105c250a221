"""Faces of real photos: counts, turns, nested faces, golden measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portraitist.faces.quality import measure_sharpness
from portraitist.faces.reader import FaceReader, distinct
from portraitist.types import Face, Image, Pose


def load(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert image is not None, path
    return np.asarray(image, np.uint8)


def made(box: tuple[float, float, float, float], score: float) -> Face:
    return Face(np.array(box, np.float32), np.zeros((468, 3), np.float32), score, 1.0, Pose(0, 0, 0))


def test_one_astronaut(reader: FaceReader, astronaut: Image) -> None:
    (face,) = reader.read(astronaut)
    assert face.box_xyxy == pytest.approx([178, 70, 272, 177], abs=5)
    assert abs(face.pose.yaw) < 6
    assert face.quality is not None
    assert face.quality.overall > 0.7
    assert face.embedding is not None
    assert 1.2 < float(np.linalg.norm(face.embedding.vector)) < 1.8
    assert reader.embed(astronaut, face).distance(face.embedding) < 1e-3


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_turned_without_telling(reader: FaceReader, astronaut: Image, turns: int) -> None:
    (face,) = reader.read(np.ascontiguousarray(np.rot90(astronaut, turns)))
    (upright,) = reader.read(astronaut)
    assert (face.pose.roll - upright.pose.roll + 90 * turns + 180) % 360 - 180 == pytest.approx(0, abs=8)
    assert face.embedding is not None
    assert upright.embedding is not None
    assert face.embedding.distance(upright.embedding) < 0.25


def test_two_people_are_read_left_to_right(reader: FaceReader, astronaut: Image, hopper: Image) -> None:
    both = np.hstack([astronaut, hopper[:512]])
    left, right = reader.read(both)
    (alone,) = reader.read(hopper)
    assert left.centre[0] < 512 < right.centre[0]
    assert right.embedding is not None
    assert alone.embedding is not None
    assert right.embedding.distance(alone.embedding) < 0.3


def test_a_forty_pixel_face_in_a_large_photo(reader: FaceReader, astronaut: Image) -> None:
    small = cv2.resize(astronaut, None, fx=0.43, fy=0.43, interpolation=cv2.INTER_AREA)
    canvas = np.full((1000, 1500, 3), 120, np.uint8)
    canvas[600 : 600 + small.shape[0], 1100 : 1100 + small.shape[1]] = small
    (face,) = reader.read(canvas, embed=False)
    assert 30 < face.width < 52
    assert face.centre == pytest.approx([1100 + 225 * 0.43, 600 + 123 * 0.43], abs=6)


def test_noise_and_flat_pictures_have_no_face(reader: FaceReader) -> None:
    random = np.random.default_rng(0)
    assert reader.read(random.integers(0, 255, (300, 400, 3)).astype(np.uint8)) == []
    assert reader.read(np.full((64, 700, 3), 200, np.uint8)) == []


def test_nested_and_overlapping_faces_are_one() -> None:
    outer, inner, beside = made((0, 0, 100, 120), 0.9), made((30, 40, 70, 90), 0.6), made((90, 0, 190, 120), 0.8)
    assert distinct([inner, outer, beside]) == [outer, beside]


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("faces/london/003_smiling.jpg", 1),
        ("hard/azure_mit/no_face_lion_drawing.png", 0),
        ("hard/azure_mit/two_faces_older_couple.jpg", 2),
        ("hard/derived/six_people_grid.jpg", 6),
        ("hard/derived/drawn_mask_087.jpg", 1),
        ("hard/derived/drawn_sunglasses_067.jpg", 1),
    ],
)
def test_counts(reader: FaceReader, shared_data: Path, file: str, count: int) -> None:
    assert len(reader.read(load(shared_data / file), embed=False, thorough=True)) == count


def test_the_upside_down_photo_is_read_upside_down(reader: FaceReader, shared_data: Path) -> None:
    (face,) = reader.read(load(shared_data / "hard/derived/rotated_180.jpg"), embed=False)
    assert abs(face.pose.roll) > 175


@pytest.mark.parametrize(
    ("file", "measure", "low", "high"),
    [
        ("drawn_sunglasses_001.jpg", "visibility", 0.0, 0.3),
        ("drawn_sunglasses_025.jpg", "visibility", 0.0, 0.3),
        ("drawn_mask_087.jpg", "visibility", 0.0, 0.3),
        ("blur_heavy.jpg", "sharpness", 0.0, 0.1),
        ("photo.webp", "sharpness", 0.4, 1.0),
        ("photo.webp", "visibility", 0.9, 1.0),
    ],
)
def test_golden_quality(
    reader: FaceReader, shared_data: Path, file: str, measure: str, low: float, high: float
) -> None:
    (face,) = reader.read(load(shared_data / "hard/derived" / file), embed=False)
    value: Any = getattr(face.quality, measure)
    assert low <= value <= high


def test_smiles_rank_over_neutral_faces(reader: FaceReader, shared_data: Path) -> None:
    smiling, neutral = (
        reader.read(load(shared_data / f"faces/london/{name}.jpg"), embed=False)[0].expression
        for name in ("001_smiling", "001_neutral")
    )
    assert smiling is not None
    assert neutral is not None
    assert smiling.smile > neutral.smile + 0.2


def test_shut_eyes_are_seen(shared_data: Path, reader: FaceReader) -> None:
    """The one photo of the first Caltech album with both eyes shut, and its neighbour."""
    folder = shared_data / "albums" / "caltech_01"
    shut, open_ = (
        max(reader.read(load(folder / name), embed=False), key=lambda f: f.width)
        for name in ("image_0010.jpg", "image_0009.jpg")
    )
    assert shut.expression is not None
    assert open_.expression is not None
    assert shut.expression.eyes_open < 0.2
    assert open_.expression.eyes_open > 0.9


def test_noise_is_not_sharpness(astronaut: Image) -> None:
    grey = cv2.cvtColor(astronaut[70:262, 150:342], cv2.COLOR_RGB2GRAY)
    noisy = np.clip(grey + np.random.default_rng(0).normal(0, 40, grey.shape), 0, 255).astype(np.uint8)
    assert measure_sharpness(np.asarray(grey, np.uint8)) > 0.6
    assert measure_sharpness(noisy) < 0.1
