"""Videos: sharp, different frames of the sitter; everything odd is a reason."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.album.config import AlbumConfig
from portraitist.album.video import VideoFrame, sample_frames, spread, spread_frames
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.tasks.add import add
from portraitist.types import Image

CONFIG = AlbumConfig(max_frames=6)


def write_video(path: Path, frames: list[Image], rate: int = 10) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def clip(astronaut: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds: still, then the light moves from left to right, then out of focus, then nobody."""
    small = cv2.resize(astronaut, (320, 320), interpolation=cv2.INTER_AREA)
    ramp = np.clip((np.arange(320) - 140) / 100, -0.6, 0.6)[None, :, None]
    frames = [small] * 20
    frames += [np.clip(small * (1 + ramp * (i / 10 - 1)), 0, 255).astype(np.uint8) for i in range(20)]
    frames += [np.asarray(cv2.GaussianBlur(small, (0, 0), 6), np.uint8)] * 10
    frames += [np.full_like(small, 90)] * 10
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    write_video(path, frames)
    return path


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader.load(Placement(threads=1))


def test_frames_are_sharp_different_and_few(clip: Path, reader: FaceReader) -> None:
    frames = spread_frames(clip, reader, CONFIG)
    assert 2 <= len(frames) <= 6
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    # Nothing of the blurred and the empty second; of the two still seconds one frame only.
    assert max(times) < 4.0
    assert sum(time < 1.95 for time in times) <= 1
    levels = [frame.faces[0].light.direction[0] for frame in frames if frame.faces[0].light is not None]
    assert max(levels) - min(levels) > 5


def test_sampling_is_limited_and_spread(clip: Path) -> None:
    frames = list(sample_frames(clip, AlbumConfig(max_samples=6)))
    assert len(frames) == 6
    assert np.diff([frame.time for frame in frames]) == pytest.approx(1.0, abs=0.15)
    assert frames[0].image.shape == (320, 320, 3)


def test_a_stored_time_gives_the_same_frame_again(clip: Path) -> None:
    frame = list(sample_frames(clip, AlbumConfig(max_samples=6)))[2]
    again = VideoFrame(clip, "d", frame.size, frame.time)
    assert np.abs(again.pixels().astype(int) - frame.image).max() == 0
    assert again.pixels(100).shape == (100, 100, 3)


def test_phone_videos_are_turned_upright(clip: Path, tmp_path: Path) -> None:
    # The display matrix of the track header, a quarter turn clockwise. Source: ISO 14496-12, 8.3.2.
    upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    turned = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 320 << 16, 0, 0x40000000)
    data = clip.read_bytes()
    track = data.index(b"tkhd")
    place = data.index(upright, track)
    path = tmp_path / "turned.mp4"
    path.write_bytes(data[:place] + turned + data[place + 36 :])
    plain = next(sample_frames(clip, CONFIG)).image
    found = next(sample_frames(path, CONFIG)).image
    assert np.abs(found.astype(int) - np.rot90(plain, -1)).mean() < 2


def test_bad_videos_have_a_reason(clip: Path, astronaut: Image, tmp_path: Path, reader: FaceReader) -> None:
    data = clip.read_bytes()
    for name, content in {"cut.mp4": data[: len(data) // 2], "noise.mkv": b"\x1a\x45\xdf\xa3" + data[100:300]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            spread_frames(tmp_path / name, reader, CONFIG)
    write_video(tmp_path / "empty-room.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 20)
    assert spread_frames(tmp_path / "empty-room.mp4", reader, CONFIG) == []


def test_video_and_photos_make_one_album(clip: Path, astronaut: Image, tmp_path: Path) -> None:
    agreed = Consent("Anna", "2026-01-01T00:00:00+00:00", "test")
    album = add(Library(tmp_path), "anna", [clip], CONFIG, consent=agreed, placement=Placement(threads=1))
    assert len(album.accepted) >= 2
    assert all(photo.file.startswith("clip.mp4@") for photo in album.accepted)
    reference = album.references()[0]
    assert reference.picture.pixels().shape == (320, 320, 3)
    assert reference.face.landmarks.shape == (468, 3)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 1000))
def test_spread_takes_the_best_and_no_one_twice(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    views, scores = rng.normal(size=(n, 3)).astype(np.float32), rng.random(n).tolist()
    taken = spread(views, scores, count)
    assert len(taken) == len(set(taken)) == min(n, count)
    assert taken[0] == int(np.argmax(scores))
