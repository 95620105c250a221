"""Videos read and written: upright frames with their own times in, the same times and the sound out.

Written as VP9 (libvpx, BSD): the encoders of H.264 in PyAV's wheel are GPL.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from portraitist.errors import InputError
from portraitist.types import Image

CONTAINERS = (".mp4", ".mkv", ".webm")
"""Suffixes of what can be written; mkv takes any sound."""
_CODEC = "libvpx-vp9"
_OPTIONS = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1"}
_DECODER = (av.FFmpegError, OSError, ValueError, OverflowError)


@dataclass(frozen=True, eq=False)
class Moment:
    """One frame, upright. pts: in units of the film's time base. time: seconds."""

    image: Image
    pts: int
    time: float


@dataclass
class Film:
    """A video file. damaged: packets that could not be decoded so far; `moments` leaves them out."""

    path: Path
    container: Any
    video: Any
    audio: Any | None
    damaged: int = 0
    sound: list[Any] = field(default_factory=list)

    @property
    def time_base(self) -> Fraction:
        """Seconds of one unit of `Moment.pts`."""
        return Fraction(self.video.time_base)

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return Fraction(self.video.average_rate or self.video.guessed_rate or 25)

    @property
    def count(self) -> int:
        """Frames, as far as the file says; 0 when it does not."""
        if self.video.frames:
            return int(self.video.frames)
        return round(self.container.duration / av.time_base * self.rate) if self.container.duration else 0

    def moments(self) -> Iterator[Moment]:
        """Every frame that can be decoded, in order. Packets of sound gather in `sound` on the way.

        Raises InputError when nothing can be decoded, or more is damaged than whole.
        """
        seen, last = 0, -1
        streams = [self.video] if self.audio is None else [self.video, self.audio]
        for packet in self._packets(streams):
            if packet.stream is self.audio:
                self.sound += [packet] if packet.dts is not None else []
                continue
            for frame in self._decoded(packet):
                pts = frame.pts if frame.pts is not None and frame.pts > last else last + self._step()
                seen, last = seen + 1, pts
                yield Moment(_upright(frame), pts, float(pts * self.time_base))
        if seen == 0 or self.damaged > seen:
            found = f"{seen} sound frames and {self.damaged} damaged ones"
            raise InputError(f"{self.path.name}: expected a video, found {found}; copy it again from the camera")

    def _packets(self, streams: list[Any]) -> Iterator[Any]:
        packets = self.container.demux(streams)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except _DECODER:
                # A file that was cut off ends here: what came before is whole.
                self.damaged += 1
                return

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return list(packet.decode())
        except _DECODER:
            self.damaged += 1
            return []

    def _step(self) -> int:
        return max(1, round(1 / (self.rate * self.time_base)))


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """The video at `path`. Raises InputError with the reason when it cannot be read."""
    try:
        container = av.open(str(path))
    except _DECODER as error:
        raise _unreadable(path, error) from error
    with container:
        if not container.streams.video:
            raise InputError(f"{path.name}: has no video track; expected a video")
        video = container.streams.video[0]
        if video.codec_context is None:
            raise InputError(f"{path.name}: is in a codec that this version cannot read; convert it to H.264 or VP9")
        video.thread_type = "AUTO"
        audio = container.streams.audio[0] if container.streams.audio else None
        yield Film(path, container, video, audio)


@dataclass
class FilmWriter:
    """A video in the making. lost_sound: why there is none, "" where there is."""

    output: Any
    time_base: Fraction
    rate: Fraction
    bit_rate: int
    video: Any | None = None
    audio: Any | None = None
    lost_sound: str = ""

    def write(self, image: Image, pts: int) -> None:
        """The next frame (h, w, 3). pts: in units of the time base, rising."""
        if self.video is None:
            self._begin(image)
        assert self.video is not None
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = pts, self.time_base
        self.output.mux(self.video.encode(frame))

    def write_sound(self, packets: list[Any]) -> None:
        """Packets of the source's sound, as they are."""
        for packet in packets if self.audio is not None and self.video is not None else []:
            packet.stream = self.audio
            self.output.mux(packet)
        packets.clear()

    def take_sound(self, stream: Any) -> None:
        """Say before the first frame whose sound comes along."""
        try:
            self.audio = self.output.add_stream_from_template(stream)
        except (av.FFmpegError, ValueError) as error:
            self.lost_sound = f"the sound ({stream.codec_context.name}) does not fit this kind of file: {error}"

    def _begin(self, image: Image) -> None:
        h, w = image.shape[:2]
        stream = self.output.add_stream(_CODEC, rate=self.rate, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        stream.codec_context.time_base = self.time_base
        # About a tenth of a bit for a pixel of each frame, which VP9 needs for drawn lines.
        stream.bit_rate = self.bit_rate or int(0.1 * w * h * min(float(self.rate), 60))
        self.video = stream

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self.video is not None:
            self.output.mux(self.video.encode(None))


@contextlib.contextmanager
def write_film(path: Path, time_base: Fraction, rate: Fraction, bit_rate: int = 0) -> Iterator[FilmWriter]:
    """A video that appears at `path` when it is whole: written beside it under another name, then moved.

    Raises InputError for a suffix that is not one of `CONTAINERS`. A block that raises leaves nothing behind.
    """
    if path.suffix.lower() not in CONTAINERS:
        raise InputError(f"--out {path.name}: expected {', '.join(CONTAINERS)}, found '{path.suffix}'")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=path.suffix.lower())
    os.close(handle)
    try:
        with av.open(temporary, "w") as output:
            writer = FilmWriter(output, time_base, rate, bit_rate)
            yield writer
            writer.finish()
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _upright(frame: Any) -> Image:
    full = frame.to_ndarray(format="rgb24")
    # PyAV gives the display matrix's angle counter-clockwise, as numpy turns.
    turned = np.rot90(full, round(getattr(frame, "rotation", 0) / 90) % 4)
    return np.asarray(np.ascontiguousarray(turned), np.uint8)


def _unreadable(path: Path, error: BaseException) -> InputError:
    reason = getattr(error, "strerror", None) or (str(error).splitlines() or ["unknown"])[0]
    return InputError(f"{path.name}: damaged, or no video this version reads ({reason}); copy it again, or convert it")
