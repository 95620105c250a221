"""A model hub on this machine: the few addresses of huggingface_hub and of ModelScope that a download asks for."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = hashlib.sha1(b"the only commit").hexdigest()


@dataclass
class HubServer:
    """repositories: name -> folder that is served. stuck: a path is cut after so many bytes, and gives no more.

    most: bytes of a file that one answer gives. asked: method, path and Range of every request for a file. tokens: the
    Authorization of every request.
    """

    repositories: dict[str, Path] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)
    most: int = 1 << 30
    tokens: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    address: str = ""

    def downloads(self) -> list[str]:
        """Paths whose bodies were asked for, in order."""
        return [path for method, path, _ in self.asked if method == "GET"]


@contextmanager
def running_hub(repositories: dict[str, Path]) -> Iterator[HubServer]:
    """Serve until the block ends."""
    hub = HubServer(dict(repositories))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    httpd.daemon_threads = True
    hub.address = f"http://127.0.0.1:{httpd.server_port}"
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        httpd.shutdown()
        httpd.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        self.hub.tokens.append(self.headers.get("Authorization", ""))
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        path = urllib.parse.unquote(address.path)
        for name, folder in self.hub.repositories.items():
            if path.startswith(f"/api/models/{name}"):
                return self._json(_huggingface_listing(name, folder))
            if path == f"/api/v1/models/{name}/repo/files":
                return self._json({"Code": 200, "Data": {"Files": _modelscope_listing(folder)}})
            if path == f"/api/v1/models/{name}/repo":
                return self._file(folder, query["FilePath"])
            if path.startswith(f"/{name}/resolve/"):
                return self._file(folder, path.removeprefix(f"/{name}/resolve/").partition("/")[2])
        self._json({"error": "Repository not found"}, status=404)

    def _json(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self._finish(body)

    def _file(self, folder: Path, path: str) -> None:
        asked_range = self.headers.get("Range", "")
        self.hub.asked.append((self.command, path, asked_range))
        body = (folder / path).read_bytes()
        start = int(asked_range.removeprefix("bytes=").partition("-")[0]) if asked_range else 0
        self.send_response(206 if asked_range else 200)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if asked_range:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self._finish(body[start:], most=min(self.hub.most, max(0, self.hub.stuck.get(path, len(body)) - start)))

    def _finish(self, body: bytes, most: int | None = None) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body if most is None else body[:most]
        if self.command == "GET":
            self.wfile.write(sent)
        if len(sent) < len(body) and self.command == "GET":
            self.close_connection = True


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _huggingface_listing(name: str, folder: Path) -> dict[str, object]:
    siblings = []
    for path in _files(folder):
        body = path.read_bytes()
        entry: dict[str, object] = {"rfilename": path.relative_to(folder).as_posix(), "size": len(body), "blobId": "0"}
        if path.suffix == ".safetensors":
            entry["lfs"] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 130}
        siblings.append(entry)
    return {"id": name, "modelId": name, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings}


def _modelscope_listing(folder: Path) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = [{"Path": "unet", "Type": "tree", "Size": 0}]
    for path in _files(folder):
        body = path.read_bytes()
        entries.append(
            {
                "Path": path.relative_to(folder).as_posix(),
                "Type": "blob",
                "Size": len(body),
                "Sha256": hashlib.sha256(body).hexdigest(),
            }
        )
    return entries
