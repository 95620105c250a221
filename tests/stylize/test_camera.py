"""Cameras without a camera: frames that come too fast are dropped, one that goes is named, none is left open."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.stylize.camera import Camera, LiveFrame


class FakeSource:
    """Gives `count` BGR frames, one every `every` seconds, then none."""

    def __init__(self, count: int, every: float = 0.005, opened: bool = True) -> None:
        self.left, self.every, self.opened, self.released = count, every, opened, False

    def isOpened(self) -> bool:  # noqa: N802
        return self.opened

    def read(self) -> tuple[bool, Any]:
        time.sleep(self.every)
        if self.left <= 0:
            return False, None
        self.left -= 1
        frame = np.zeros((8, 8, 3), np.uint8)
        frame[..., 0] = 200
        return True, frame

    def release(self) -> None:
        self.released = True


def _kept(camera: Camera, seen: list[LiveFrame]) -> None:
    """Every frame into `seen`, until the camera goes."""
    for frame in camera.frames():
        seen.append(frame)


def test_frames_are_rgb_and_a_camera_that_goes_is_named() -> None:
    source = FakeSource(5)
    camera = Camera(source, "camera 0", gone_after=0.2)
    seen: list[LiveFrame] = []
    with pytest.raises(InputError, match=r"camera 0: gone \(no picture for 0\.2 s\)"):
        _kept(camera, seen)
    assert len(seen) + camera.dropped == 5
    assert tuple(seen[0].image[0, 0]) == (0, 0, 200)
    assert seen[0].time == 0
    assert source.released


def test_the_newest_frame_wins() -> None:
    camera = Camera(FakeSource(1000, every=0.002), "camera 0")
    frames = camera.frames()
    next(frames)
    time.sleep(0.1)
    next(frames)
    frames.close()
    assert camera.dropped > 5


def test_no_camera_is_said() -> None:
    source = FakeSource(0, opened=False)
    with pytest.raises(InputError, match="camera 3: none found"):
        Camera.open(3, lambda number: source)
    assert source.released
