"""The mirror: a page with what a camera sees, painted, served to this machine only. Nothing is kept."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from portraitist.cli.local_server import HTML, JPEG, LocalHandler, LocalServer, Refused, announce
from portraitist.image import encode_image
from portraitist.pages.html import render
from portraitist.types import Image

WAIT = 2.0
"""Seconds that a request waits for a frame."""


class MirrorServer(LocalServer):
    """Shows the newest frame to every page that is open. port: 0 takes a free one; InputError when it is taken."""

    def __init__(self, port: int = 0) -> None:
        self._newest: Image | bytes | None = None
        self._shown, self._end = 0, ""
        self._arrived = threading.Condition()
        super().__init__(_Handler, port)

    def show(self, image: Image) -> None:
        """The frame (h, w, 3) to be seen from now on."""
        with self._arrived:
            self._newest, self._shown = image, self._shown + 1
            self._arrived.notify_all()

    def end(self, sentence: str) -> None:
        """No frame will come any more; pages that are open say why."""
        with self._arrived:
            self._end = sentence
            self._arrived.notify_all()

    def next_frame(self) -> bytes:
        """The next frame as JPEG, coded once for all pages. Refused when none comes, or none ever will."""
        with self._arrived:
            asked = self._shown
            self._arrived.wait_for(lambda: self._shown > asked or self._end, timeout=WAIT)
            if self._end:
                raise Refused(HTTPStatus.GONE, self._end)
            if self._shown == asked or self._newest is None:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "no frame came; ask again")
            if not isinstance(self._newest, bytes):
                self._newest = encode_image(self._newest, "jpeg")
            return self._newest


class _Handler(LocalHandler):
    server: MirrorServer
    paths = re.compile(r"/(?P<token>[\w-]{1,64})/(?P<what>|frame)")

    def found(self, method: str, asked: re.Match[str]) -> tuple[str, bytes]:
        if method != "GET":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "a mirror takes nothing")
        if asked["what"] == "":
            return HTML, render("mirror.html").encode()
        return JPEG, self.server.next_frame()


@contextmanager
def mirror(*, port: int = 0, shows: bool = True, aside: bool = False) -> Iterator[MirrorServer]:
    """A running mirror, its address printed; shut down afterwards. shows, aside: as in `announce`."""
    with MirrorServer(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            announce(server, shows=shows, aside=aside)
            yield server
        finally:
            server.end("The camera was stopped.")
            server.shutdown()
            thread.join()


@contextmanager
def until_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl+C, or request to terminate, only makes what is given true; the second one interrupts."""
    asked = threading.Event()

    def ask(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
