"""Fetching weights from a server on this machine: digests, broken downloads, kills, offline."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.progress import Step

BODY = bytes(range(256)) * 400
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """`/truncated` stops half-way, `/slow` waits in the middle, anything with `missing` is 404."""

    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        half = len(BODY) // 2
        self.wfile.write(BODY[:half])
        self.wfile.flush()
        if "truncated" in self.path:
            return
        if "slow" in self.path:
            time.sleep(20)
        self.wfile.write(BODY[half:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PORTRAITIST_CACHE", str(tmp_path))
    monkeypatch.delenv("PORTRAITIST_OFFLINE", raising=False)
    return tmp_path


def add_row(monkeypatch: pytest.MonkeyPatch, source: weights.ProjectFile | weights.HubFile, sha256: str | None) -> None:
    row = weights.WeightsRow("toy", source, sha256, len(BODY) if sha256 else None, "Apache-2.0", "test")
    monkeypatch.setitem(weights.TABLE, "toy", row)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_project_file_is_fetched_once(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_row(monkeypatch, weights.ProjectFile("toy/model.bin"), DIGEST)
    path = weights.fetch("toy")
    assert path.read_bytes() == BODY
    assert weights.verify("toy")
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", "http://127.0.0.1:9")
    assert weights.fetch("toy") == path


def test_a_wrong_digest_is_refused_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: str
) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_row(monkeypatch, weights.ProjectFile("toy/model.bin"), "0" * 64)
    with pytest.raises(WeightsError, match=DIGEST):
        weights.fetch("toy")
    assert files(cache) == []


@pytest.mark.parametrize("path", ["truncated/model.bin", "missing.bin"])
def test_a_broken_download_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str, path: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_row(monkeypatch, weights.ProjectFile(path), DIGEST)
    with pytest.raises(WeightsError, match="toy"):
        weights.fetch("toy")
    assert files(cache) == []


def test_offline_says_what_to_do(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("PORTRAITIST_OFFLINE", "1")
    with pytest.raises(WeightsError, match="portraitist weights fetch iris"):
        weights.fetch("iris")


def test_a_hub_file_without_digest_learns_it(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_HUB", server)
    add_row(monkeypatch, weights.HubFile("someone/model", None, "model.bin"), None)
    steps: list[Step] = []
    path = weights.fetch("toy", steps.append)
    assert DIGEST in steps[-1].message
    assert weights.learned_digest("toy") == DIGEST
    path.write_bytes(b"changed" * 10)
    assert not weights.verify("toy")


def test_a_hub_file_that_changed_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_HUB", server)
    add_row(monkeypatch, weights.HubFile("someone/model", "v1", "model.bin"), None)
    (cache / "toy.json").write_text('{"sha256": "' + "1" * 64 + '"}')
    with pytest.raises(WeightsError, match="expected sha256 1111"):
        weights.fetch("toy")
    assert files(cache) == ["toy.json"]


def test_a_hub_file_needs_a_hub(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.delenv("PORTRAITIST_HUB", raising=False)
    add_row(monkeypatch, weights.HubFile("someone/model", None, "model.bin"), None)
    with pytest.raises(WeightsError, match="PORTRAITIST_HUB"):
        weights.fetch("toy")


@pytest.mark.skipif(os.name == "nt", reason="kills a process by signal")
def test_a_kill_in_the_middle_leaves_no_half_file(cache: Path, server: str) -> None:
    code = (
        "from portraitist import weights as w\n"
        f"w.TABLE['toy'] = w.WeightsRow('toy', w.ProjectFile('slow.bin'), '{DIGEST}', {len(BODY)}, '', '')\n"
        "print('go', flush=True)\nw.fetch('toy')\n"
    )
    source = str(Path(weights.__file__).parents[1])
    environment = {**os.environ, "PORTRAITIST_WEIGHTS": server, "PYTHONPATH": source}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert files(cache) == []


def test_every_row_is_whole() -> None:
    for row in weights.TABLE.values():
        assert row.licence
        assert row.origin
        assert row.sha256 is None or len(row.sha256) == 64


def test_unknown_names_are_refused() -> None:
    with pytest.raises(WeightsError, match="known are"):
        weights.row("nothing")
