"""Reading photos in processes of their own.

dlib and the TFLite interpreter hold the interpreter lock for most of a photo (two threads read 1.3 to 1.45 times the
photos of one, two processes almost twice), and a decoder that crashes on a hostile file takes down a worker, not the
program. The workers are plain child processes that talk in JSON lines: nothing is asked of the caller's `__main__`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portraitist.album.config import AlbumConfig
from portraitist.album.reading import read_file, reading_options
from portraitist.album.scan import FoundFile
from portraitist.album.store import Records
from portraitist.errors import EngineError, InputError, PortraitistError
from portraitist.faces.reader import FaceReader
from portraitist.image import file_digest
from portraitist.options import from_mapping
from portraitist.placement import Placement

_WORTH_A_WORKER = 8
"""Photos from which on starting a second process (about a second) pays."""


@dataclass(frozen=True)
class ReadFile:
    """A file and its digest; `error` instead where it could not even be hashed, or crashed its reader."""

    file: FoundFile
    digest: str | None
    error: str | None = None


def read_one(path: Path, records: Records, reader: FaceReader, config: AlbumConfig) -> str:
    """Read a file unless its content was read before, under whatever name. Returns the digest. Raises InputError."""
    digest = file_digest(path)
    if records.load(digest) is None:
        records.save(read_file(path, digest, reader, config))
    return digest


def read_all(
    files: Sequence[FoundFile],
    folder: Path,
    config: AlbumConfig,
    placement: Placement,
    load_reader: Callable[[Placement], FaceReader] = FaceReader.load,
) -> Iterator[ReadFile]:
    """Read every file, in this process or in several; yields each when its record is on disk, in any order."""
    workers = config.workers or (1 if len(files) < _WORTH_A_WORKER else placement.threads)
    if not files:
        return
    reader = load_reader(placement)  # Also fetches missing weights, once, before any worker wants them.
    if workers == 1:
        records = Records(folder, reading_options(config))
        for file in files:
            yield _read_here(file, records, reader, config)
        return
    del reader
    yield from _read_in_workers(files, folder, config, min(workers, len(files)))


def _read_here(file: FoundFile, records: Records, reader: FaceReader, config: AlbumConfig) -> ReadFile:
    try:
        return ReadFile(file, read_one(file.path, records, reader, config))
    except InputError as error:
        return ReadFile(file, None, str(error))


def _read_in_workers(files: Sequence[FoundFile], folder: Path, config: AlbumConfig, count: int) -> Iterator[ReadFile]:
    waiting: queue.SimpleQueue[FoundFile] = queue.SimpleQueue()
    done: queue.SimpleQueue[ReadFile | PortraitistError] = queue.SimpleQueue()
    for file in files:
        waiting.put(file)
    stop = threading.Event()
    shared = (folder, config, waiting, done, stop)
    threads = [threading.Thread(target=_feed, args=shared, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in files:
            result = done.get()
            if isinstance(result, PortraitistError):
                raise result
            yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _feed(
    folder: Path,
    config: AlbumConfig,
    waiting: queue.SimpleQueue[FoundFile],
    done: queue.SimpleQueue[ReadFile | PortraitistError],
    stop: threading.Event,
) -> None:
    """Keep one worker busy until nothing waits; a worker that dies costs the file it died on."""
    child: _Child | None = None
    while not stop.is_set():
        try:
            file = waiting.get_nowait()
        except queue.Empty:
            break
        try:
            child = child or _Child(folder, config)
        except PortraitistError as error:
            done.put(error)
            return
        answer = child.ask(file)
        if answer is None:
            child.end()
            child = None
            answer = {"error": f"{file.path.name}: crashed its decoder; the file is damaged or hostile"}
        done.put(ReadFile(file, answer.get("digest"), answer.get("error")))
    if child is not None:
        child.end()


class _Child:
    """One worker process. Raises EngineError when it cannot start: then no file is to blame."""

    def __init__(self, folder: Path, config: AlbumConfig) -> None:
        source = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH")) if part)
        command = [sys.executable, "-m", "portraitist.album.worker", str(folder), json.dumps(asdict(config))]
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=complaints, env=environment)
            hello = self._answer()
            if hello is None or "ready" not in hello:
                self.end()
                complaints.seek(0)
                last = (complaints.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1]
                reason = last if hello is None else hello.get("error")
                raise EngineError(f"a process that reads photos could not start: {reason}; try with workers=1")

    def ask(self, file: FoundFile) -> dict[str, Any] | None:
        """The worker's answer, None when it died."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(str(file.path)).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        return self._answer()

    def end(self) -> None:
        """Let it go, or make it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.kill()
        self._process.wait()

    def _answer(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            return None
        return answer


def main(arguments: Sequence[str]) -> None:
    """A worker: reads paths as JSON lines from stdin, answers each when its record is written; ends with its parent."""
    import cv2

    cv2.setNumThreads(1)
    config = from_mapping(AlbumConfig, json.loads(arguments[1]))
    records = Records(Path(arguments[0]), reading_options(config))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Libraries print what they like; only our lines reach the parent.

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer).encode() + b"\n")
        out.flush()

    try:
        reader = FaceReader.load(Placement(threads=1))
    except PortraitistError as error:
        say({"error": str(error)})
        return
    say({"ready": True})
    for line in sys.stdin.buffer:
        try:
            say({"digest": read_one(Path(json.loads(line)), records, reader, config)})
        except InputError as error:
            say({"error": str(error)})


if __name__ == "__main__":
    main(sys.argv[1:])
