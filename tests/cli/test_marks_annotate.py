"""`marks annotate` as a program: it says where the page is, ends when told, and a kill leaves a whole file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.cli.main import main
from portraitist.marks.formats import read_annotations

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    PillowImage.fromarray(np.full((60, 40, 3), 90, np.uint8)).save(folder / "a.png")
    return folder


@contextmanager
def started(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program and the page's address; ended, by its own id, whatever happens."""
    line = [sys.executable, "-m", "portraitist", "marks", "annotate", str(folder), "--detector", "none", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    program = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment)
    assert program.stdout is not None
    try:
        url = next(said.strip() for said in program.stdout if said.startswith("http://127.0.0.1:"))
        yield program, url
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def put(url: str, before: str, x: float) -> str:
    body = {"marks": [{"kind": "mole", "points": [[x, 1]]}], "crowded": [], "done": False, "before": before}
    request = urllib.request.Request(url + "marks/0", json.dumps(body).encode(), method="PUT")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["before"])


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT for one process")
def test_it_serves_until_it_is_interrupted(photos: Path) -> None:
    with started(photos) as (program, url):
        put(url, "", 1)
        with urllib.request.urlopen(url + "proposals/0", timeout=20) as answer:
            assert json.load(answer) == {"faces": None, "marks": []}
        program.send_signal(signal.SIGINT)
        assert program.wait(20) == 0
        assert program.stdout is not None
        assert "1 of 1 photos are in" in program.stdout.read()


def test_a_kill_between_two_writes_leaves_a_whole_file(photos: Path) -> None:
    out = photos / "annotations.marks.json"
    with started(photos) as (program, url):
        before = ""
        for place in range(1, 6):
            before = put(url, before, place)
        program.kill()
        program.wait()
    imported = read_annotations(out)
    assert imported.problems == ()
    assert imported.images[0].marks[0].points.tolist() == [[5, 1]], "what was answered was on the disk"
    with started(photos) as (_, url):
        put(url, before, 6)
    assert read_annotations(out).images[0].marks[0].points.tolist() == [[6, 1]]


def test_wrong_lines_end_with_a_sentence(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["marks", "annotate", str(photos / "nowhere")]) == 3
    assert main(["marks", "annotate", str(photos), "--out", "a.json"]) == 3
    assert main(["marks", "annotate", str(photos), "--detector", "nobody"]) == 6
    said = capsys.readouterr().err
    assert said.count("\n") == said.count("portraitist: ") == 3
