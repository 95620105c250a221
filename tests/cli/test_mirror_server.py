"""The mirror: the newest frame to every page, a sentence when it ends, nothing to anybody else."""

from __future__ import annotations

import http.client
import re
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from portraitist.cli.mirror_server import MirrorServer, mirror, until_ctrl_c
from portraitist.pages.html import render
from portraitist.types import Image


def frame(value: int) -> Image:
    return np.full((16, 24, 3), value, np.uint8)


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str]) -> Iterator[MirrorServer]:
    with mirror(shows=False) as running:
        assert running.url in capsys.readouterr().out
        yield running


def ask(server: MirrorServer, path: str, method: str = "GET", token: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, f"/{server.token if token is None else token}/{path}")
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def showing(server: MirrorServer, image: Image, path: str = "frame") -> tuple[int, bytes]:
    """What is answered while this image is shown over and over."""
    done = threading.Event()

    def show() -> None:
        while not done.wait(0.02):
            server.show(image)

    shower = threading.Thread(target=show)
    shower.start()
    try:
        return ask(server, path)
    finally:
        done.set()
        shower.join()


def test_the_newest_frame_is_shown(page: MirrorServer) -> None:
    status, text = ask(page, "")
    assert (status, b"As in a mirror" in text) == (200, True)
    first, second = showing(page, frame(10)), showing(page, frame(200))
    assert first[0] == second[0] == 200
    assert first[1][:2] == b"\xff\xd8"
    assert first[1] != second[1]


def test_json_on_standard_output_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    with mirror(shows=False, aside=True) as running:
        said = capsys.readouterr()
    assert (said.out, running.url in said.err) == ("", True)


def test_nothing_comes_then_it_ends(page: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portraitist.cli.mirror_server.WAIT", 0.1)
    assert ask(page, "frame")[0] == 503
    page.end("The camera was stopped.")
    assert ask(page, "frame") == (410, b'{"error": "The camera was stopped."}')


def test_what_is_refused(page: MirrorServer) -> None:
    assert ask(page, "", token="wrong")[0] == 404
    assert ask(page, "../frame")[0] == 404
    assert ask(page, "frame", method="PUT")[0] == 405


def _interrupted_twice() -> None:
    with until_ctrl_c() as should_stop:
        assert not should_stop()
        signal.raise_signal(signal.SIGINT)
        assert should_stop()
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_asks_first_and_interrupts_then() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_twice()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_page_loads_nothing_and_finds_its_parts() -> None:
    text = render("mirror.html")
    assert not re.search(r"https?://|src=\"|@import", text)
    named = set(re.findall(r'getElementById\("(\w+)"\)', text))
    assert named == set(re.findall(r'id="(\w+)"', text))
