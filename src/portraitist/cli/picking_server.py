"""The picking page and what it asks for, served to this machine only. Samples are numbers."""

from __future__ import annotations

import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from portraitist.cli.local_server import HTML, JSON, LocalHandler, LocalServer, Refused, as_json
from portraitist.image import encode_image
from portraitist.pages.html import render

if TYPE_CHECKING:
    from portraitist.stylize.generator.picking import PickingTable

PNG = "image/png"


class PickingServer(LocalServer):
    """Serves one table until `shutdown`. port: 0 takes a free one. Raises InputError when the port is taken."""

    def __init__(self, table: PickingTable, port: int = 0) -> None:
        self.table = table
        self._drawn: tuple[int, list[bytes]] = -1, []
        self._lock = threading.Lock()
        super().__init__(_Handler, port)

    def pictures(self) -> list[bytes]:
        """The present round as PNG files, drawn once."""
        with self._lock:
            if self._drawn[0] != self.table.round:
                number = self.table.round
                self._drawn = number, [encode_image(picture, "png") for picture in self.table.pictures()]
            return self._drawn[1]


class _Handler(LocalHandler):
    server: PickingServer
    paths = re.compile(r"/(?P<token>[\w-]{1,64})/(?P<what>|table|kept|next|pixels/(?P<index>[0-9]{1,4}))")

    def found(self, method: str, asked: re.Match[str]) -> tuple[str, bytes]:
        table, what = self.server.table, asked["what"]
        if (method == "PUT") != (what in ("kept", "next")):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only what is kept, and the next round, can be put")
        if what == "":
            return HTML, render("picking.html").encode()
        if asked["index"] is not None:
            return PNG, self._picture(int(asked["index"]))
        if method == "PUT":
            self._change(what)
        state = {"round": table.round, "kept": table.kept, "keptInAll": table.kept_in_all}
        return JSON, as_json({**state, "count": len(self.server.pictures())})

    def _picture(self, index: int) -> bytes:
        pictures = self.server.pictures()
        if index >= len(pictures):
            raise Refused(HTTPStatus.NOT_FOUND, "no such sample; load the page again")
        return pictures[index]

    def _change(self, what: str) -> None:
        row = self.body()
        number, kept = row.get("round"), row.get("kept", [])
        if not isinstance(number, int) or not isinstance(kept, list):
            raise Refused(HTTPStatus.BAD_REQUEST, "expected a round and a list; load the page again")
        if what == "kept":
            self.server.table.keep(number, kept)
        else:
            self.server.table.go_on(number)
