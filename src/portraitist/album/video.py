"""Frames of a video that are worth having: sharp, and spread over yaw, expression and light."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.album.config import AlbumConfig
from portraitist.album.duplicates import keep_best, perceptual_hash
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.geometry import fit_within
from portraitist.types import Expression, Face, Image, Light

Item = TypeVar("Item")

_LEAST_STEP = 0.2
"""Seconds between frames that are looked at: closer ones differ too little."""
_SEEK_STEP = 2.0
"""From this distance (seconds) on, jumping through the file is cheaper than decoding all of it."""


@dataclass(frozen=True, eq=False)
class ReadFrame:
    """A frame at reading size with its faces. size: (h, w) of the full frame. time: seconds."""

    image: Image
    size: tuple[int, int]
    time: float
    faces: tuple[Face, ...] = ()
    sharpness: float = 0.0


@dataclass(frozen=True)
class VideoFrame:
    """A handle on one frame (a `Picture`). digest: of the file and the time."""

    path: Path
    digest: str
    size: tuple[int, int]
    time: float

    def pixels(self, max_side: int | None = None) -> Image:
        """Upright RGB (h, w, 3). Raises InputError when the frame is not there any more."""
        frame = next(_sampled(self.path, [self.time], 2**31), None)
        if frame is None:
            raise InputError(f"{self.path.name}: no frame at {self.time:.2f} s; add the video again")
        return frame.image if max_side is None else fit_within(frame.image, max_side)


def spread_frames(path: Path, reader: FaceReader, config: AlbumConfig) -> list[ReadFrame]:
    """At most `config.max_frames` frames with a face, in order of time.

    Raises InputError when the video cannot be decoded.
    """
    seen = [frame for frame in sample_frames(path, config) if frame.sharpness > 0]
    # Half of the samples are the blurred ones of a moving camera or head: not worth a look at their faces.
    enough = float(np.median([frame.sharpness for frame in seen])) * 0.5 if seen else 0.0
    sharp = [frame for frame in seen if frame.sharpness >= enough]
    read = [_with_faces(frame, reader) for frame in sharp]
    with_face = [frame for frame in read if frame.faces]
    if not with_face:
        return []
    views = np.stack([view_of(_widest(frame)) for frame in with_face])
    scores = [_frame_score(frame) for frame in with_face]
    stands_for = keep_best([perceptual_hash(f.image) for f in with_face], scores, config.near_duplicate_bits, views)
    distinct = [i for i, kept in enumerate(stands_for) if i == kept]
    chosen = spread(views[distinct], [scores[i] for i in distinct], config.max_frames)
    return [with_face[distinct[i]] for i in sorted(chosen)]


def spread(views: NDArray[np.float32], scores: Sequence[float], count: int) -> list[int]:
    """At most `count` indices: the best first, then always the one furthest from those taken, weighed by score.

    Source: farthest-point sampling (Gonzalez 1985), which is within a factor 2 of the best cover.
    """
    taken = [int(np.argmax(scores))]
    weight = 0.25 + np.asarray(scores, np.float32)
    nearest = np.linalg.norm(views - views[taken[0]], axis=1)
    while len(taken) < min(count, len(views)):
        gain = nearest * weight
        gain[taken] = -1
        taken.append(int(np.argmax(gain)))
        nearest = np.minimum(nearest, np.linalg.norm(views - views[taken[-1]], axis=1))
    return taken


def view_of(face: Face) -> NDArray[np.float32]:
    """(8,) pose, expression and light, in units of "visibly different": further apart than 1 is another shot."""
    expression = face.expression or Expression(0.0, 0.0, 1.0)
    light = face.light or Light(50.0, (0.0, 0.0), 0.0)
    parts = [face.pose.yaw / 8, face.pose.pitch / 8]
    parts += [expression.smile / 0.3, expression.mouth_open / 0.3, expression.eyes_open / 0.5]
    parts += [light.level / 15, light.direction[0] / 12, light.direction[1] / 12]
    return np.asarray(parts, np.float32)


def sample_frames(path: Path, config: AlbumConfig) -> Iterator[ReadFrame]:
    """Frames spread evenly over the video, at reading size. Raises InputError when it cannot be decoded."""
    duration = _duration(path)
    step = max(_LEAST_STEP, duration / config.max_samples)
    count = max(1, min(config.max_samples, int(duration / step)))
    yield from _sampled(path, [(i + 0.5) * duration / count for i in range(count)], config.read_side)


def _duration(path: Path) -> float:
    def read(container: Any, stream: Any) -> Iterator[float]:
        if stream.duration and stream.time_base:
            yield float(stream.duration * stream.time_base)
        elif container.duration:
            yield container.duration / av.time_base
        else:
            yield 60.0

    return next(_opened(path, read))


def _sampled(path: Path, times: Sequence[float], side: int) -> Iterator[ReadFrame]:
    """The first frame at or after each time. Times rise."""

    def read(container: Any, stream: Any) -> Iterator[ReadFrame]:
        stream.thread_type = "AUTO"
        jumps = len(times) < 2 or times[1] - times[0] >= _SEEK_STEP
        last: float | None = None
        for time in times:
            if last is not None and last >= time:
                continue
            if jumps:
                container.seek(max(0, int(time / stream.time_base)), stream=stream, backward=True)
            frame = _frame_at(container, stream, time)
            if frame is None:
                return
            last = float(frame.time or 0.0)
            yield _read_frame(frame, last, side)

    return _opened(path, read)


def _frame_at(container: Any, stream: Any, time: float) -> Any | None:
    newest = None
    for frame in container.decode(stream):
        newest = frame
        # A hair of tolerance: a stored time comes back as the same frame, not the next.
        if frame.time is None or frame.time >= time - 1e-3:
            return frame
    return newest


def _read_frame(frame: Any, time: float, side: int) -> ReadFrame:
    full = frame.to_ndarray(format="rgb24")
    # PyAV gives the display matrix's angle counter-clockwise, as numpy turns.
    upright = np.rot90(full, round(getattr(frame, "rotation", 0) / 90) % 4)
    small = fit_within(np.ascontiguousarray(upright), side)
    grey = cv2.cvtColor(fit_within(small, 480), cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return ReadFrame(small, (upright.shape[0], upright.shape[1]), time, (), sharpness)


def _opened(path: Path, read: Callable[[Any, Any], Iterator[Item]]) -> Iterator[Item]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path.name}: has no video track")
            yield from read(container, container.streams.video[0])
    except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path.name}: damaged, or no video this version reads ({reason}); copy it again") from error


def _with_faces(frame: ReadFrame, reader: FaceReader) -> ReadFrame:
    return ReadFrame(frame.image, frame.size, frame.time, tuple(reader.read(frame.image, embed=False)), frame.sharpness)


def _widest(frame: ReadFrame) -> Face:
    return max(frame.faces, key=lambda face: face.width)


def _frame_score(frame: ReadFrame) -> float:
    quality = _widest(frame).quality
    return quality.overall if quality else 0.0
