"""The annotation page and what it asks for, served to this machine only. Photos are numbers."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from portraitist.cli.local_server import HTML, JPEG, JSON, LocalHandler, LocalServer, Refused, as_json
from portraitist.marks.formats.own import plain_image
from portraitist.marks.formats.rows import plain_points
from portraitist.marks.found import FoundMark
from portraitist.marks.kinds import KINDS
from portraitist.pages.html import render
from portraitist.tasks.annotate_marks import AnnotatedFolder, SavedElsewhere
from portraitist.tasks.propose_marks import Proposals


class AnnotationServer(LocalServer):
    """Serves one folder until `shutdown`. port: 0 takes a free one. Raises InputError when the port is taken."""

    def __init__(self, folder: AnnotatedFolder, proposals: Proposals | None = None, port: int = 0) -> None:
        self.folder, self.proposals = folder, proposals
        super().__init__(_Handler, port)


class _Handler(LocalHandler):
    server: AnnotationServer
    paths = re.compile(r"/(?P<token>[\w-]{1,64})/(?P<what>|photos|pixels|marks|proposals)(?:/(?P<index>[0-9]{1,7}))?")
    conflict = SavedElsewhere

    def found(self, method: str, asked: re.Match[str]) -> tuple[str, bytes]:
        what, index = self._addressed(asked)
        if method == "PUT":
            if what != "marks" or index is None:
                raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only marks can be put")
            return JSON, as_json(self._save(index))
        if index is None:
            return (HTML, render("annotating.html").encode()) if what == "" else (JSON, as_json(self._photos()))
        if what == "pixels":
            return JPEG, self.server.folder.picture(index)
        return JSON, as_json(self._marks(index) if what == "marks" else self._proposals(index))

    def _addressed(self, asked: re.Match[str]) -> tuple[str, int | None]:
        """What is asked for, and of which photo."""
        index = None if asked["index"] is None else int(asked["index"])
        is_of_all = asked["what"] in ("", "photos")
        if is_of_all != (index is None) or (index is not None and index >= len(self.server.folder.photos)):
            raise Refused(HTTPStatus.NOT_FOUND, "no such photo; load the page again")
        return asked["what"], index

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
        row = self.body()
        before = row.get("before")
        if not isinstance(before, str):
            raise Refused(HTTPStatus.BAD_REQUEST, "before: expected a text; load the page again")
        return {"before": self.server.folder.save(index, row, before)}


def _plain(mark: FoundMark) -> dict[str, Any]:
    points = plain_points(mark.points)
    return {"kind": mark.kind, "points": points, "diameter": float(mark.diameter), "score": float(mark.score)}
