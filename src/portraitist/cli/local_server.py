"""Pages served to this machine only: who is let in, what is refused.

Every address begins with a token that only the one who started the server knows, so no other page of the browser can
reach it. The Host header must be ours, so no name that somebody points at this machine can either.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from portraitist.errors import InputError, PortraitistError

ADDRESS = "127.0.0.1"
MAX_BODY = 2_000_000
"""Bytes of the largest request: some 50,000 points."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
JSON, HTML, JPEG = "application/json; charset=utf-8", "text/html; charset=utf-8", "image/jpeg"


class Refused(Exception):
    """A request that gets no answer but a status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class LocalServer(ThreadingHTTPServer):
    """Serves one page until `shutdown`. port: 0 takes a free one. Raises InputError when the port is taken."""

    daemon_threads = True
    # On Windows the option would let a second program take the port over.
    allow_reuse_address = os.name != "nt"

    def __init__(self, handler: type[LocalHandler], port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((ADDRESS, port), handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"port {port}: expected a free one, found none ({error}); leave --port out") from error
        self.hosts = {f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")}

    @property
    def url(self) -> str:
        """Where the page is, with its token."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no fault; everything else shows its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class LocalHandler(BaseHTTPRequestHandler):
    """Answers with what `found` gives. conflict: the error that means somebody else saved in between."""

    server: LocalServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    paths: re.Pattern[str]
    conflict: type[PortraitistError] | None = None

    def found(self, method: str, asked: re.Match[str]) -> tuple[str, bytes]:
        """Kind and body of an answer. asked: what `paths` found in the address, beside the token."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer("GET")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def version_string(self) -> str:
        return "portraitist"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: addresses hold the token."""

    def _answer(self, method: str) -> None:
        try:
            kind, body = self.found(method, self._let_in())
            self._send(HTTPStatus.OK, kind, body)
        except Refused as refused:
            self._say(refused.status, str(refused))
        except PortraitistError as error:
            is_conflict = self.conflict is not None and isinstance(error, self.conflict)
            self._say(HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            # A full disk, a folder that became read-only: the page keeps what it has and tries again.
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, f"cannot be written: {error.strerror or error}")

    def _let_in(self) -> re.Match[str]:
        if self.headers.get("Host", "") not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "expected the address that was printed; open that one")
        asked = self.paths.fullmatch(self.path)
        if asked is None or not hmac.compare_digest(asked["token"].encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.NOT_FOUND, "nothing here; open the address that was printed")
        return asked

    def body(self) -> Mapping[str, Any]:
        """The JSON object that was sent. What it was not read of ends the connection."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "expected Content-Length")
        if int(length) > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MAX_BODY:,} bytes, found {length}")
        # No page of another site may send this type without asking first.
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
        try:
            value = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "expected JSON, found something else") from error
        if not isinstance(value, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "expected a JSON object, found something else")
        return value

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        if self.command == "PUT":
            # Its body may not have been read, and would pass for the next request.
            self.close_connection = True
        self._send(status, JSON, as_json({"error": sentence}))

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def as_json(value: Any) -> bytes:
    """The body of an answer."""
    return json.dumps(value, allow_nan=False).encode()


def announce(server: LocalServer, *, shows: bool, aside: bool = False) -> None:
    """Print where the page is. shows: open it in the browser, where there is a screen. aside: print to standard error,
    as standard output is for JSON."""
    stream = sys.stderr if aside else sys.stdout
    stream.write(server.url + "\n")
    # Whoever started this through a pipe waits for the address.
    stream.flush()
    if shows and _has_screen():
        _show(server.url)


def serve(server: LocalServer, *, shows: bool) -> None:
    """Announce the page and serve it until Ctrl+C."""
    announce(server, shows=shows)
    with contextlib.suppress(KeyboardInterrupt), _asked_to_end():
        server.serve_forever()


@contextlib.contextmanager
def _asked_to_end() -> Iterator[None]:
    """Inside, Ctrl+C and a request to terminate raise KeyboardInterrupt, also where a shell started us to ignore it."""
    before = {kind: signal.signal(kind, signal.default_int_handler) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _has_screen() -> bool:
    """Without one the browser would be one of the terminal, which cannot show the page."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
