"""Faces followed: steadier than the mesh alone, searched now and then, found again, forgotten when they leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portraitist.stylize.config import VideoConfig
from portraitist.stylize.tracking import FaceTracker
from portraitist.types import Image
from tests.stylize import films


@pytest.fixture(scope="module")
def still(astronaut: Image) -> list[Image]:
    """The same picture with the noise of a camera."""
    random = np.random.default_rng(0)
    crop = astronaut[:320, 60:380].astype(np.float32)
    return [np.clip(crop + random.normal(0, 8, crop.shape), 0, 255).astype(np.uint8) for _ in range(12)]


def test_a_still_face_is_steadier_than_its_mesh(still: list[Image], reader: Any) -> None:
    tracker = FaceTracker(reader, VideoConfig())
    raw, steady = [], []
    for index, image in enumerate(still):
        (track,) = tracker(image, index / 25)
        raw.append(track.face.landmarks)
        steady.append(track.steady.landmarks)
    assert np.std(steady[4:], axis=0).mean() < 0.5 * np.std(raw[4:], axis=0).mean()
    assert tracker.searches == 1


def test_a_moving_face_is_followed(astronaut: Image, reader: Any) -> None:
    tracker = FaceTracker(reader, VideoConfig(detect_every=100))
    for index, image in enumerate(films.walk(astronaut, 12)):
        (track,) = tracker(image, index / 25)
    (found,) = reader.read(image, embed=False)
    away = np.linalg.norm(track.steady.landmarks[:, :2] - found.landmarks[:, :2], axis=1).mean()
    assert away < 0.06 * found.width
    assert tracker.searches == 1


def test_a_face_that_leaves_is_forgotten_and_found_again(still: list[Image], reader: Any) -> None:
    tracker = FaceTracker(reader, VideoConfig(detect_every=3))
    empty = np.full_like(still[0], 90)
    counts = [len(tracker(image, i / 25)) for i, image in enumerate([still[0], empty, empty, empty, *still[:4]])]
    assert counts[0] == 1
    assert counts[1:4] == [0, 0, 0]
    assert counts[-1] == 1


def test_a_regions_border_does_not_flicker(still: list[Image], reader: Any) -> None:
    tracker = FaceTracker(reader, VideoConfig())
    random = np.random.default_rng(1)
    seen = []
    for index, image in enumerate(still[:8]):
        tracker(image, index / 25)
        seen.append(tracker.steadied(0, random.random((8, 8)).astype(np.float32)))
    assert np.std(seen[3:], axis=0).mean() < 0.2
