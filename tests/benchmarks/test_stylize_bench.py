"""The benchmark of painters: known answers for flicker, memory and groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.stylize_faces import GROUPS, Judged, Remembering, table
from benchmarks.stylize_video import film, flicker
from portraitist.stylize.painting import Painting
from portraitist.types import Image


@pytest.fixture(scope="module")
def filmed(astronaut: Image, reader: Any) -> Any:
    face = max(reader.read(astronaut, embed=False), key=lambda each: each.width)
    return film(Judged("collins", astronaut, face, {}), 5, (240, 320))


def test_what_moves_with_the_film_does_not_flicker(filmed: Any) -> None:
    """The film's own noise is all there is; grey levels that jump from frame to frame are counted in full."""
    shown = [np.ones(frame.shape[:2], np.float32) for frame in filmed.frames]
    own = flicker(filmed.frames, filmed, shown)
    assert own < 3
    jumping = [np.clip(f.astype(int) + 20 * (i % 2), 0, 255).astype(np.uint8) for i, f in enumerate(filmed.frames)]
    assert flicker(jumping, filmed, shown) > own + 12


def test_a_frame_is_painted_once() -> None:
    class Counting:
        side, part, calls = 32, 1.0, 0

        def __call__(self, frame: Image) -> Painting:
            self.calls += 1
            return Painting(255 - frame)

    counting = Counting()
    remembering = Remembering(counting)
    frame = np.zeros((32, 32, 3), np.uint8)
    assert remembering(frame).image.max() == remembering(frame).image.min() == 255
    remembering(frame + 1)
    assert counting.calls == 2


def test_groups_without_faces_have_no_row() -> None:
    record = {"ita": 40.0, "glasses": 0.0, "beard": 0.0, "age": None, "yaw": 3.0, "found": True, "landmarks": 0.02}
    rows = list(table([{**record, "distance": 0.5, "monotone_distance": True}]))
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["all", "skin light (ITA > 28)", "yaw up to 15"]
    assert len(GROUPS) == 10
    assert "| 1.00 | 1.00 | 2.0 % | 0.50 | 1.00 |" in rows[2]
