"""The server of the picking page: what it shows, what it keeps, who is refused."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.cli.picking_server import PickingServer
from portraitist.stylize.generator.picking import SHOWN, PickingTable
from tests.stylize.generator.small import trained


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PickingServer]:
    """A tiny generator's table; nothing of it is left running."""
    with PickingServer(PickingTable(trained(), tmp_path / "picks.json")) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: PickingServer, path: str, body: Any = None, token: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    method, data = ("GET", None) if body is None else ("PUT", json.dumps(body).encode())
    where = f"/{server.token if token is None else token}/{path}"
    connection.request(method, where, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_samples_are_shown_kept_and_gone_on_from(server: PickingServer) -> None:
    status, page = ask(server, "")
    assert status == 200
    assert b"More like these" in page
    table = json.loads(ask(server, "table")[1])
    assert table == {"round": 0, "kept": [], "keptInAll": 0, "count": SHOWN}
    first = ask(server, "pixels/3")
    assert first[0] == 200
    assert first[1].startswith(b"\x89PNG")
    assert json.loads(ask(server, "kept", {"round": 0, "kept": [3, 4]})[1])["kept"] == [3, 4]
    assert json.loads(server.table.file.read_text())["kept"] == [[3, 4]]
    assert json.loads(ask(server, "next", {"round": 0})[1])["round"] == 1
    assert ask(server, "pixels/3")[1] != first[1]


def test_what_is_refused(server: PickingServer) -> None:
    assert ask(server, "table", token="wrong")[0] == 404
    assert ask(server, f"pixels/{SHOWN}")[0] == 404
    assert ask(server, "../secret")[0] == 404
    assert ask(server, "kept")[0] == 405
    assert ask(server, "table", {"round": 0})[0] == 405
    assert ask(server, "kept", {"round": "0", "kept": []})[0] == 400
    assert ask(server, "kept", {"round": 0, "kept": [99]})[0] == 422
    assert ask(server, "next", {"round": 7})[0] == 422
