"""Frames of a camera as they come: always the newest, those that come while we paint are dropped and counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np

from portraitist.errors import InputError
from portraitist.types import Image

GONE_AFTER = 2.0
"""Seconds without a frame after which a camera is gone."""


class Source(Protocol):
    """What `cv2.VideoCapture` is: frames are BGR."""

    def isOpened(self) -> bool: ...  # noqa: N802  OpenCV's name
    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """A frame (h, w, 3) RGB. time: seconds since the first."""

    image: Image
    time: float


@dataclass
class Camera:
    """An open camera. dropped: frames that came while the one before was painted."""

    source: Source
    name: str
    gone_after: float = GONE_AFTER
    dropped: int = 0
    _newest: tuple[Image, float] | None = None
    _closed: bool = False
    _arrived: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @classmethod
    def open(cls, number: int, make: Callable[[int], Source] = cv2.VideoCapture) -> Camera:
        """Camera `number`, the first is 0. Raises InputError when there is none."""
        source = make(number)
        if not source.isOpened():
            source.release()
            raise InputError(f"camera {number}: none found, or another program uses it; close that, or try camera:1")
        return cls(source, f"camera {number}")

    def frames(self) -> Generator[LiveFrame, None, None]:
        """Frames until the caller stops. Raises InputError when none has come for `gone_after` seconds."""
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        first: float | None = None
        try:
            while True:
                image, taken = self._next()
                first = taken if first is None else first
                yield LiveFrame(image, taken - first)
        finally:
            self._closed = True
            reader.join(timeout=1)
            self.source.release()

    def _next(self) -> tuple[Image, float]:
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._newest is not None, timeout=self.gone_after):
                found = f"no picture for {self.gone_after:g} s"
                raise InputError(f"{self.name}: gone ({found}); what was painted so far is kept, plug it in again")
            assert self._newest is not None
            newest, self._newest = self._newest, None
            return newest

    def _read(self) -> None:
        """Keeps the newest frame. A read that fails is tried again until the other side gives up."""
        while not self._closed:
            there, bgr = self.source.read()
            if not there or bgr is None:
                time.sleep(0.01)
                continue
            image = np.ascontiguousarray(np.asarray(bgr, np.uint8)[..., ::-1])
            with self._arrived:
                self.dropped += self._newest is not None
                self._newest = image, time.perf_counter()
                self._arrived.notify()
