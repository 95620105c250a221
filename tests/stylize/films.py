"""Small videos made for tests: a face that moves, with sound, turned, or with uneven times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from portraitist.types import Image


def walk(photo: Image, count: int, side: int = 192) -> Iterator[Image]:
    """A crop of the photo that drifts by a pixel a frame, a little noisy as cameras are."""
    random = np.random.default_rng(3)
    for index in range(count):
        crop = photo[: side * 2, 60 + 2 * index : 60 + 2 * index + side * 2]
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
        yield np.clip(small + random.normal(0, 2, small.shape), 0, 255).astype(np.uint8)


def write(path: Path, frames: list[Image], times: list[int] | None = None, *, sound: bool = False) -> Path:
    """A VP9 video at 25 frames/s, or at `times` (ms). sound: with a second of silence in Opus."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libvpx-vp9", rate=25, options={"deadline": "realtime", "cpu-used": "8"})
        video.width, video.height, video.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = output.add_stream("libopus", rate=48000) if sound else None
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = times[index] if times else 40 * index, Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if audio is not None:
            _silence(output, audio)
    return path


def _silence(output: av.container.OutputContainer, audio: av.AudioStream) -> None:
    for block in range(50):
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 960 * 2), np.int16), format="s16", layout="stereo")
        sound.sample_rate, sound.pts, sound.time_base = 48000, 960 * block, Fraction(1, 48000)
        output.mux(audio.encode(sound))
    output.mux(audio.encode(None))


def turned(path: Path, source: Path, degrees: int) -> Path:
    """The same packets with a display matrix: what a phone held upright writes."""
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        stream.set_display_rotation(degrees)
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return path
