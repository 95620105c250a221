"""Fetching weights from a server on this machine: files, folders, digests, broken downloads, kills, offline."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.progress import Step
from portraitist.weight_folders import listed_files

BODY = bytes(range(256)) * 400
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """`/truncated` stops half-way, `/slow` waits in the middle, anything with `missing` is 404.

    `bodies` holds what is not BODY, by path; `asked` is what was asked for since the server began.
    """

    bodies: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "missing" in self.path:
            self.send_error(404)
            return
        body = self.bodies.get(self.path, BODY)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.wfile.flush()
        if "truncated" in self.path:
            return
        if "slow" in self.path:
            time.sleep(20)
        self.wfile.write(body[half:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    Handler.bodies.clear()
    Handler.asked.clear()
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
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


def fetch_and_kill(row: str, environment: dict[str, str]) -> None:
    """Fetch `row` (source text of a WeightsRow named toy) in a process that is killed in the middle of a slow file."""
    code = f"from portraitist import weights as w\nw.TABLE['toy'] = {row}\nprint('go', flush=True)\nw.fetch('toy')\n"
    source = str(Path(weights.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **environment, "PYTHONPATH": source}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while not any("slow" in path for path in Handler.asked) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.skipif(os.name == "nt", reason="kills a process by signal")
def test_a_kill_in_the_middle_leaves_no_half_file(cache: Path, server: str) -> None:
    row = f"w.WeightsRow('toy', w.ProjectFile('slow.bin'), '{DIGEST}', {len(BODY)}, '', '')"
    fetch_and_kill(row, {"PORTRAITIST_WEIGHTS": server})
    assert files(cache) == []


FOLDER = {"model.json": b'{"parts": 2}', "a/one.bin": b"one" * 50, "a/two words.bin": b"two" * 70}


def digests_of(contents: dict[str, bytes]) -> bytes:
    entries = {p: {"sha256": hashlib.sha256(b).hexdigest(), "bytes": len(b)} for p, b in sorted(contents.items())}
    return json.dumps(entries).encode()


def add_folder(monkeypatch: pytest.MonkeyPatch, digests: bytes, size: int | None = None) -> weights.WeightsRow:
    """Put a row 'toy' into the table whose source is the folder `set`."""
    digest = hashlib.sha256(digests).hexdigest()
    row = weights.WeightsRow("toy", weights.ProjectFolder("set"), digest, size, "Apache-2.0", "test")
    monkeypatch.setitem(weights.TABLE, "toy", row)
    return row


def serve(contents: dict[str, bytes], digests: bytes) -> None:
    Handler.bodies["/set/digests.json"] = digests
    Handler.bodies.update({f"/set/{path.replace(' ', '%20')}": body for path, body in contents.items()})


def write_folder(folder: Path, contents: dict[str, bytes]) -> Path:
    for path, body in {**contents, "digests.json": digests_of(contents)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def test_a_folder_is_fetched_once(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_folder(monkeypatch, digests_of(FOLDER))
    serve(FOLDER, digests_of(FOLDER))
    assert weights.local_path("toy") is None
    folder = weights.fetch("toy")
    assert folder == cache / "set"
    assert {path: (folder / path).read_bytes() for path in FOLDER} == FOLDER
    assert files(cache) == ["digests.json", "model.json", "one.bin", "two words.bin"]
    assert weights.verify("toy")
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", "http://127.0.0.1:9")
    assert weights.fetch("toy") == folder


def test_only_what_a_folder_lacks_is_fetched(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_folder(monkeypatch, digests_of(FOLDER))
    serve(FOLDER, digests_of(FOLDER))
    folder = write_folder(cache / "set", FOLDER)
    (folder / "a" / "one.bin").write_bytes(b"shorter")
    (folder / "model.json").write_bytes(FOLDER["model.json"].replace(b"2", b"3"))
    assert weights.local_path("toy") is None
    assert weights.fetch("toy") == folder
    assert sorted(Handler.asked) == ["/set/a/one.bin", "/set/model.json"]
    assert weights.verify("toy")


def test_a_damaged_file_of_a_folder_is_seen(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.delenv("PORTRAITIST_WEIGHTS", raising=False)
    add_folder(monkeypatch, digests_of(FOLDER))
    folder = write_folder(cache / "set", FOLDER)
    assert weights.verify("toy")
    (folder / "a" / "one.bin").write_bytes(b"One" * 50)
    assert weights.local_path("toy") == folder
    assert not weights.verify("toy")
    (folder / "digests.json").write_bytes(digests_of({"model.json": FOLDER["model.json"]}))
    assert weights.local_path("toy") is None


def test_a_file_served_damaged_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_folder(monkeypatch, digests_of(FOLDER))
    serve({**FOLDER, "a/two words.bin": b"twO" * 70}, digests_of(FOLDER))
    with pytest.raises(WeightsError, match=r"two words\.bin: expected sha256"):
        weights.fetch("toy")
    assert files(cache) == ["digests.json", "one.bin"]
    assert weights.local_path("toy") is None


def test_another_list_than_the_row_names_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_folder(monkeypatch, digests_of(FOLDER))
    serve(FOLDER, digests_of({"model.json": b"other"}))
    with pytest.raises(WeightsError, match=r"digests\.json: expected sha256"):
        weights.fetch("toy")
    assert Handler.asked == ["/set/digests.json"]
    assert files(cache) == []


@pytest.mark.parametrize(
    "path",
    ["../out.bin", "/out.bin", "a/../../out.bin", "..\\out.bin", "C:out.bin", "a//b", "./a", "", ".", "digests.json"],
)
def test_paths_out_of_a_folder_are_refused(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: str, path: str
) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    digests = digests_of({path: BODY})
    add_folder(monkeypatch, digests)
    serve({}, digests)
    with pytest.raises(WeightsError, match="expected paths inside the folder"):
        weights.fetch("toy")
    assert Handler.asked == ["/set/digests.json"]
    assert files(cache) == ["digests.json"]


@pytest.mark.parametrize(
    "digests", [b"no json", b"[1, 2]", b'{"a": {"bytes": 3}}', b'{"a": {"sha256": "0", "bytes": null}}']
)
def test_a_list_of_another_shape_is_refused(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: str, digests: bytes
) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", server)
    add_folder(monkeypatch, digests)
    serve({}, digests)
    with pytest.raises(WeightsError, match="found something else"):
        weights.fetch("toy")


@pytest.mark.skipif(os.name == "nt", reason="kills a process by signal")
def test_a_kill_in_a_folder_keeps_the_files_before(monkeypatch: pytest.MonkeyPatch, cache: Path, server: str) -> None:
    contents = {"a.bin": b"first", "slow.bin": b"in the middle", "z.bin": b"last"}
    digests = digests_of(contents)
    row = add_folder(monkeypatch, digests)
    serve(contents, digests)
    text = f"w.WeightsRow('toy', w.ProjectFolder('set'), '{row.sha256}', None, '', '')"
    fetch_and_kill(text, {"PORTRAITIST_WEIGHTS": server})
    assert files(cache) == ["a.bin", "digests.json"]
    assert (cache / "set" / "a.bin").read_bytes() == b"first"
    assert weights.local_path("toy") is None


def test_a_folder_offline_and_without_address(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.delenv("PORTRAITIST_WEIGHTS", raising=False)
    add_folder(monkeypatch, digests_of(FOLDER), size=35_200_000)
    assert not weights.has_source("toy")
    with pytest.raises(WeightsError, match="set PORTRAITIST_WEIGHTS to a folder or base URL"):
        weights.fetch("toy")
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", "http://127.0.0.1:9")
    assert weights.has_source("toy")
    monkeypatch.setenv("PORTRAITIST_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"35\.2 MB.*portraitist weights fetch toy"):
        weights.fetch("toy")


def test_a_folder_of_the_environment_is_used_in_place(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "mine" / "set", FOLDER)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(folder.parent))
    add_folder(monkeypatch, digests_of(FOLDER))
    assert weights.fetch("toy") == folder
    (folder / "model.json").unlink()
    with pytest.raises(WeightsError, match="not whole"):
        weights.fetch("toy")


def test_every_row_is_whole() -> None:
    for row in weights.TABLE.values():
        assert row.licence
        assert row.origin
        assert row.sha256 is None or len(row.sha256) == 64
        assert row.noncommercial == ("-NC-" in row.licence)


PROJECT_ROWS = [
    name for name, r in weights.TABLE.items() if isinstance(r.source, weights.ProjectFile | weights.ProjectFolder)
]


@pytest.mark.parametrize("name", PROJECT_ROWS)
def test_the_weights_of_this_project_are_in_the_checkout(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(Path(__file__).resolve().parents[1] / "weights"))
    assert weights.verify(name)
    row, place = weights.row(name), weights.fetch(name)
    assert row.size == (sum(file.size for file in listed_files(place)) if place.is_dir() else place.stat().st_size)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(WeightsError, match="known are"):
        weights.row("nothing")
