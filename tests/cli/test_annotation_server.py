"""The server of the annotation page: who is let in, what is refused, and what arrives in the file."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.cli.annotation_server import AnnotationServer
from portraitist.cli.local_server import MAX_BODY
from portraitist.errors import InputError
from portraitist.marks.formats import read_annotations
from portraitist.marks.found import FoundMark
from portraitist.tasks.annotate_marks import AnnotatedFolder
from portraitist.tasks.propose_marks import Proposals, Proposed

MOLE = {"kind": "mole", "points": [[10, 20]], "diameter": 5.5, "sure": True}
SAVED = {"marks": [MOLE], "crowded": [], "done": False, "before": ""}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnnotationServer]:
    """Two photos, 40 x 60; the fake detector proposes one mole on each. Nothing of it is left running."""
    for name in ("a.png", "b.png"):
        PillowImage.fromarray(np.full((60, 40, 3), 90, np.uint8)).save(tmp_path / name)
    (tmp_path.parent / "secret.marks.json").write_text("secret")
    folder = AnnotatedFolder.open(tmp_path)
    mark = FoundMark("mole", np.array([[7.5, 8]], np.float32), 3.0, 0.75)
    monkeypatch.setattr(Proposals, "__call__", lambda self, index: Proposed(1, (mark,)))
    with AnnotationServer(folder, Proposals(folder, None, None, "fake")) as running:  # type: ignore[arg-type]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: AnnotationServer, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Status, body and headers. path: after the token, or from the root when it begins with a slash."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    connection.request(method, path if path.startswith("/") else f"/{server.token}/{path}", data, sent)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def told(server: AnnotationServer, path: str, method: str = "GET", body: Any = None) -> Any:
    status, answer, _ = ask(server, path, method, body)
    assert status == 200, answer
    return json.loads(answer)


def test_only_this_machine_and_a_token_nobody_guesses(server: AnnotationServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 32
    with AnnotationServer(server.folder) as other:
        assert other.token != server.token


def test_the_page_is_there_and_nothing_may_be_loaded_from_elsewhere(server: AnnotationServer) -> None:
    status, page, headers = ask(server, "")
    assert status == 200
    assert b"<canvas" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_photos_pixels_and_proposals(server: AnnotationServer) -> None:
    listing = told(server, "photos")
    assert [photo["file"] for photo in listing["photos"]] == ["a.png", "b.png"]
    assert listing["photos"][0] == {"file": "a.png", "width": 40, "height": 60, "marks": None}
    assert listing["detector"] == "fake"
    status, pixels, headers = ask(server, "pixels/1")
    assert (status, headers["Content-Type"], pixels[:2]) == (200, "image/jpeg", b"\xff\xd8")
    proposal = {"kind": "mole", "points": [[7.5, 8.0]], "diameter": 3.0, "score": 0.75}
    assert told(server, "proposals/0") == {"faces": 1, "marks": [proposal]}


def test_a_mark_goes_to_the_file_and_comes_back(server: AnnotationServer) -> None:
    assert told(server, "marks/1") == {"marks": [], "crowded": [], "done": False, "before": "", "changed": False}
    before = told(server, "marks/1", "PUT", SAVED)["before"]
    (image,) = read_annotations(server.folder.out).images
    assert (image.file, image.marks[0].diameter) == ("b.png", 5.5)
    assert told(server, "marks/1") == {**SAVED, "done": True, "before": before, "changed": False}
    assert [photo["marks"] for photo in told(server, "photos")["photos"]] == [None, 1]
    status, answer, _ = ask(server, "marks/1", "PUT", {**SAVED, "marks": []})
    assert status == 409
    assert "load the photo again" in json.loads(answer)["error"]


def test_a_photo_that_was_painted_over_is_told(server: AnnotationServer) -> None:
    told(server, "marks/0", "PUT", SAVED)
    PillowImage.fromarray(np.zeros((60, 40, 3), np.uint8)).save(server.folder.folder / "a.png")
    assert told(server, "marks/0")["changed"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example:80"])
def test_another_host_name_is_refused(server: AnnotationServer, host: str) -> None:
    for method in ("GET", "PUT"):
        status, answer, _ = ask(server, "marks/0", method, SAVED if method == "PUT" else None, Host=host)
        assert status == 403
        assert server.token.encode() not in answer
    assert not server.folder.out.exists()


def test_localhost_is_this_machine_too(server: AnnotationServer) -> None:
    assert ask(server, "photos", Host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize("path", ["/", "/photos", "/wrong/photos", "/wrong/marks/0"])
def test_without_the_token_there_is_nothing(server: AnnotationServer, path: str) -> None:
    status, answer, _ = ask(server, path)
    assert status == 404
    assert b"a.png" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "../secret.marks.json",
        "pixels/../../secret.marks.json",
        "pixels/%2e%2e%2fsecret.marks.json",
        "pixels//etc/passwd",
        "pixels/a.png",
        "pixels/-1",
        "pixels/2",
        "pixels/0/",
        "pixels/9999999",
        "pixels/99999999999999999999",
        "pixels",
        "marks",
        "photos/0",
        "0",
        "pixels/0?x=1",
    ],
)
def test_photos_are_numbers_and_nothing_else_is_served(server: AnnotationServer, path: str) -> None:
    status, answer, _ = ask(server, path)
    assert status == 404
    assert b"secret" not in answer


@pytest.mark.parametrize("line", ["GET /\u00e9/photos HTTP/1.1", "GET /TOKEN/pixels/\u00b2 HTTP/1.1"])
def test_addresses_that_no_client_sends(server: AnnotationServer, line: str) -> None:
    head = f"{line.replace('TOKEN', server.token)}\r\nHost: 127.0.0.1:{server.server_port}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.server_port), 20) as plain:
        plain.sendall(head.encode("latin1"))
        answer = plain.makefile("rb").readline()
    assert answer.split()[1] == b"404"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        ([], 400),
        ({}, 400),
        ({**SAVED, "before": 1}, 400),
        ({"before": ""}, 422),
        ({**SAVED, "marks": [{**MOLE, "points": [[99, 1]]}]}, 422),
        (b'{"before": "", "done": true, "crowded": [], "marks": [{"kind": "mole", "points": [[NaN, 1]]}]}', 422),
    ],
)
def test_what_is_no_annotation_is_refused_with_a_sentence(server: AnnotationServer, body: Any, status: int) -> None:
    found, answer, _ = ask(server, "marks/0", "PUT", body)
    assert found == status
    assert json.loads(answer)["error"]
    assert not server.folder.out.exists()
    told(server, "marks/0", "PUT", SAVED)


def test_a_body_that_is_too_large_is_not_read(server: AnnotationServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest("PUT", f"/{server.token}/marks/0")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.headers["Connection"] == "close"
    connection.close()


def test_a_body_of_unknown_length_or_another_type_is_refused(server: AnnotationServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest("PUT", f"/{server.token}/marks/0")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()
    assert ask(server, "marks/0", "PUT", SAVED, Content_Type="text/plain")[0] == 415


def test_only_marks_can_be_put(server: AnnotationServer) -> None:
    assert ask(server, "photos", "PUT", SAVED)[0] == 405
    assert ask(server, "pixels/0", "PUT", SAVED)[0] == 405
    assert ask(server, "marks/0", "POST", SAVED)[0] == 501
    assert ask(server, "marks/0", "DELETE")[0] == 501


def test_a_full_disk_is_a_sentence_and_the_next_try_works(
    server: AnnotationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("portraitist.library.os.replace", full)
        status, answer, _ = ask(server, "marks/0", "PUT", SAVED)
    assert status == 500
    assert "No space left" in json.loads(answer)["error"]
    assert not server.folder.out.exists()
    told(server, "marks/0", "PUT", SAVED)


def test_many_saves_at_once_all_arrive(server: AnnotationServer) -> None:
    def draw(index: int) -> None:
        before = ""
        for place in range(10):
            marks = [{**MOLE, "points": [[place + 1, 1]]}]
            before = told(server, f"marks/{index}", "PUT", {**SAVED, "marks": marks, "before": before})["before"]

    threads = [threading.Thread(target=draw, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    images = read_annotations(server.folder.out).images
    assert [image.marks[0].points.tolist() for image in images] == [[[10, 1]], [[10, 1]]]


def test_a_port_that_is_taken_is_said(server: AnnotationServer) -> None:
    with pytest.raises(InputError, match="leave --port out"):
        AnnotationServer(server.folder, port=server.server_port)
    with pytest.raises(InputError, match="leave --port out"):
        AnnotationServer(server.folder, port=99_999)
