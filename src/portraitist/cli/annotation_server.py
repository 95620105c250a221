"""The annotation page and what it asks for, served to this machine only.

Every address begins with a token that only the one who started the server knows, so no other page of the browser can
reach it. The Host header must be ours, so no name that somebody points at this machine can either. Photos are numbers.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from portraitist.errors import InputError, PortraitistError
from portraitist.marks.formats.own import plain_image
from portraitist.marks.formats.rows import plain_points
from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import KINDS
from portraitist.pages.html import render
from portraitist.tasks.annotate_marks import AnnotatedFolder, SavedElsewhere
from portraitist.tasks.propose_marks import Proposals

ADDRESS = "127.0.0.1"
MAX_BODY = 2_000_000
"""Bytes of the largest request: some 50,000 points."""
_PATH = re.compile(r"/(?P<token>[\w-]{1,64})/(?P<what>|photos|pixels|marks|proposals)(?:/(?P<index>[0-9]{1,7}))?")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_JSON, _HTML, _JPEG = "application/json; charset=utf-8", "text/html; charset=utf-8", "image/jpeg"


class Refused(Exception):
    """A request that gets no answer but a status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class AnnotationServer(ThreadingHTTPServer):
    """Serves one folder until `shutdown`. port: 0 takes a free one. Raises InputError when the port is taken."""

    daemon_threads = True
    # On Windows the option would let a second program take the port over.
    allow_reuse_address = os.name != "nt"

    def __init__(self, folder: AnnotatedFolder, proposals: Proposals | None = None, port: int = 0) -> None:
        self.folder, self.proposals = folder, proposals
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((ADDRESS, port), _Handler)
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


class _Handler(BaseHTTPRequestHandler):
    server: AnnotationServer
    protocol_version = "HTTP/1.1"
    timeout = 60

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
            kind, body = self._found(method)
            self._send(HTTPStatus.OK, kind, body)
        except Refused as refused:
            self._say(refused.status, str(refused))
        except SavedElsewhere as error:
            self._say(HTTPStatus.CONFLICT, str(error))
        except PortraitistError as error:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            # A full disk, a folder that became read-only: the page keeps the marks and tries again.
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, f"cannot be written: {error.strerror or error}")

    def _found(self, method: str) -> tuple[str, bytes]:
        if self.headers.get("Host", "") not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "expected the address that was printed; open that one")
        what, index = self._addressed()
        if method == "PUT":
            if what != "marks" or index is None:
                raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only marks can be put")
            return _JSON, _json(self._save(index))
        if index is None:
            return (_HTML, render("annotating.html").encode()) if what == "" else (_JSON, _json(self._photos()))
        if what == "pixels":
            return _JPEG, self.server.folder.picture(index)
        return _JSON, _json(self._marks(index) if what == "marks" else self._proposals(index))

    def _addressed(self) -> tuple[str, int | None]:
        """What is asked for, and of which photo."""
        found = _PATH.fullmatch(self.path)
        if found is None or not hmac.compare_digest(found["token"].encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.NOT_FOUND, "nothing here; open the address that was printed")
        index = None if found["index"] is None else int(found["index"])
        is_of_all = found["what"] in ("", "photos")
        if is_of_all != (index is None) or (index is not None and index >= len(self.server.folder.photos)):
            raise Refused(HTTPStatus.NOT_FOUND, "no such photo; load the page again")
        return found["what"], index

    def _photos(self) -> dict[str, Any]:
        folder, proposals = self.server.folder, self.server.proposals
        rows = []
        for index, photo in enumerate(folder.photos):
            saved = folder.saved(index)
            count = None if saved is None else len(saved.marks)
            rows.append({"file": photo.file, "width": photo.size[0], "height": photo.size[1], "marks": count})
        detector = None if proposals is None else proposals.name
        return {"photos": rows, "out": folder.out.name, "kinds": KINDS, "detector": detector}

    def _marks(self, index: int) -> dict[str, Any]:
        folder = self.server.folder
        saved = folder.saved(index)
        plain = {"marks": [], "crowded": []} if saved is None else plain_image(saved)
        is_changed = bool(saved and saved.sha256 and saved.sha256 != folder.photo(index).digest)
        state = {"done": saved is not None, "before": folder.revision(index), "changed": is_changed}
        return {"marks": plain["marks"], "crowded": plain["crowded"], **state}

    def _proposals(self, index: int) -> dict[str, Any]:
        if self.server.proposals is None:
            return {"faces": None, "marks": []}
        proposed = self.server.proposals(index)
        return {"faces": proposed.faces, "marks": [_plain(mark) for mark in proposed.marks]}

    def _save(self, index: int) -> dict[str, Any]:
        row = self._body()
        before = row.get("before")
        if not isinstance(before, str):
            raise Refused(HTTPStatus.BAD_REQUEST, "before: expected a text; load the page again")
        return {"before": self.server.folder.save(index, row, before)}

    def _body(self) -> Mapping[str, Any]:
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
        self._send(status, _JSON, _json({"error": sentence}))

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


def _plain(mark: FoundMark) -> dict[str, Any]:
    points = plain_points(mark.points)
    return {"kind": mark.kind, "points": points, "diameter": float(mark.diameter), "score": float(mark.score)}


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
