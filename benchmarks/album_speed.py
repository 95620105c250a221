"""How fast an album is read, against the `face_recognition` package's documented way; and whether memory is flat.

    python benchmarks/album_speed.py                # speed, comparison, what the time is made of
    python benchmarks/album_speed.py --memory 10000 # memory over 10,000 small generated files

The other side is what `face_recognition.face_locations(image, number_of_times_to_upsample=1)` followed by
`face_recognition.face_encodings(image)` runs, written with dlib itself: HOG detection on the full image, 5-point
landmarks, ResNet descriptor. One process and one core each side.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from portraitist.album.config import AlbumConfig
from portraitist.album.duplicates import perceptual_hash
from portraitist.album.reading import embed_faces, read_file
from portraitist.faces.reader import FaceReader
from portraitist.image import encode_image, file_digest, open_photo
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.tasks.add import add
from portraitist.types import Image
from portraitist.weights import fetch

DATA = Path(__file__).parents[2] / "shared" / "data"
AGREED = Consent("benchmark", "2026-01-01T00:00:00+00:00", "benchmark")
WIDE, HIGH = 4000, 3000


def people() -> list[Image]:
    """Real photos to enlarge: the shared albums where they are, else the two people of every machine."""
    files = sorted(DATA.glob("albums/caltech_0[123]/*.jpg"))
    if files:
        return [open_photo(file).pixels() for file in files]
    import matplotlib
    import skimage.data

    hopper = open_photo(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").pixels()
    return [np.ascontiguousarray(skimage.data.astronaut()), hopper]


def large_photos(folder: Path, count: int) -> list[Path]:
    """12-megapixel JPEGs: real photos enlarged to fill 4000 x 3000, with sensor noise, quality 92."""
    rng = np.random.default_rng(0)
    sources, paths = people(), []
    for i in range(count):
        source = sources[i % len(sources)]
        factor = max(WIDE / source.shape[1], HIGH / source.shape[0])
        large = cv2.resize(source, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        top, left = (large.shape[0] - HIGH) // 4, (large.shape[1] - WIDE) // 2
        cut = large[top : top + HIGH, left : left + WIDE].astype(np.int16)
        noisy = cut + rng.normal(0, 4, (HIGH, WIDE, 1)).astype(np.int16)
        paths.append(folder / f"{i:03d}.jpg")
        paths[-1].write_bytes(encode_image(np.clip(noisy, 0, 255).astype(np.uint8), "jpeg", quality=92))
    return paths


def documented_way(paths: list[Path]) -> float:
    """Seconds a photo of face_locations + face_encodings on the full image."""
    import dlib

    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(fetch("dlib-5-points")))
    recogniser = dlib.face_recognition_model_v1(str(fetch("dlib-resnet")))
    start = time.perf_counter()
    for path in paths:
        image = open_photo(path).pixels()
        for box in detector(image, 1):
            recogniser.compute_face_descriptor(image, landmarks(image, box), 1)
    return (time.perf_counter() - start) / len(paths)


def our_way(paths: list[Path], reader: FaceReader, config: AlbumConfig) -> float:
    """Seconds a photo of `album add`'s reading: hash, decode, faces, mesh, measures, descriptor, thumbnail."""
    start = time.perf_counter()
    for path in paths:
        read_file(path, file_digest(path), reader, config)
    return (time.perf_counter() - start) / len(paths)


def parts(paths: list[Path], reader: FaceReader, config: AlbumConfig) -> Iterator[tuple[str, float]]:
    """(part, milliseconds a photo)."""

    def timed(work: object) -> float:
        start = time.perf_counter()
        for item in items:
            work(item)  # type: ignore[operator]
        return 1000 * (time.perf_counter() - start) / len(items)

    items: list[object] = list(paths)
    yield "sha256 of the file", timed(file_digest)
    yield "decode at 1/4, to 1000 px", timed(lambda path: open_photo(path).pixels(config.read_side))
    images = [open_photo(path).pixels(config.read_side) for path in paths]
    items = list(images)
    yield "detect, mesh, measure", timed(lambda image: reader.read(image, embed=False))
    found = [(image, reader.read(image, embed=False)) for image in images]
    items = list(found)
    yield "descriptor", timed(lambda pair: embed_faces(pair[0], pair[1], reader))
    items = list(images)
    yield "perceptual hash", timed(perceptual_hash)


def measure_speed(count: int) -> None:
    """Print the comparison, the parts, and the rate of a whole `add`."""
    config = AlbumConfig()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = large_photos(folder, count)
        size = np.mean([path.stat().st_size for path in paths]) / 1e6
        print(f"{count} photos, {WIDE} x {HIGH}, {size:.1f} MB each")
        cv2.setNumThreads(1)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        reader = FaceReader.load(Placement(threads=1))
        our_way(paths[:2], reader, config)
        ours, theirs = our_way(paths, reader, config), documented_way(paths[:4])
        print(f"one core: {ours:.3f} s a photo; documented way {theirs:.2f} s; ratio {theirs / ours:.1f}")
        for part, milliseconds in parts(paths[:20], reader, config):
            print(f"  {part}: {milliseconds:.1f} ms")
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        start, before = time.perf_counter(), _cpu_seconds()
        album = add(Library(folder / "library"), "sitter", paths, _for_speed(config), consent=AGREED)
        seconds = time.perf_counter() - start
        print(f"album add, {os.cpu_count()} cores: {count / seconds:.2f} photos/s, models and report included")
        busy = (_cpu_seconds() - before) / count
        print(f"  {busy:.3f} CPU seconds a photo, all processes: {2 / busy:.1f} photos/s on two cores of its own")
        print(f"  ({len(album.accepted)} accepted, {len(album.rejected)} rejected)")


def _cpu_seconds() -> float:
    """User and system time of this process and its ended children."""
    return sum(os.times()[:4])


def _for_speed(config: AlbumConfig) -> AlbumConfig:
    """The pool is several people: any majority will do."""
    return replace(config, majority=0.0)


def measure_memory(count: int) -> None:
    """Print the memory of this process while an album of `count` small files grows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        rng, sources = np.random.default_rng(0), people()[:21]
        # One in five with a face large enough for a descriptor: the others take the same way but for that.
        for i in range(count):
            side = 96 if i % 5 == 0 else 56
            small = cv2.resize(sources[i % len(sources)], (side, side * 3 // 4), interpolation=cv2.INTER_AREA)
            noisy = np.clip(small + rng.normal(0, 6, small.shape), 0, 255).astype(np.uint8)
            (folder / f"{i:05d}.jpg").write_bytes(encode_image(noisy, "jpeg", quality=85))
        peaks: list[tuple[int, float]] = []
        stop = threading.Event()
        done = [0]
        watcher = threading.Thread(target=_watch, args=(stop, done, peaks))
        watcher.start()
        start = time.perf_counter()
        add(
            Library(Path(name, "library")),
            "sitter",
            [folder],
            replace(_for_speed(AlbumConfig()), min_face=16.0),
            consent=AGREED,
            report=lambda step: done.__setitem__(0, step.done),
        )
        stop.set()
        watcher.join()
        print(f"{count} files in {time.perf_counter() - start:.0f} s")
        for at in np.linspace(0, len(peaks) - 1, 8).astype(int):
            print(f"  after {peaks[at][0]} files: {peaks[at][1]:.0f} MB in all processes")
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        together = max(megabytes for _, megabytes in peaks)
        print(f"peak: {own:.0f} MB here, {workers:.0f} MB in the largest worker, {together:.0f} MB together")


def _watch(stop: threading.Event, done: list[int], peaks: list[tuple[int, float]]) -> None:
    while not stop.wait(1.0):
        peaks.append((done[0], _resident_with_children()))


def _resident_with_children() -> float:
    """Megabytes of this process and its children (Linux)."""
    own = os.getpid()
    family = [own]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == own:
                family.append(int(entry.name))
    total = 0.0
    for pid in family:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
        except OSError:
            continue
    return total


def main() -> None:
    """Speed by default, memory when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--memory", type=int, default=0, metavar="FILES")
    arguments = parser.parse_args()
    if arguments.memory:
        measure_memory(arguments.memory)
    else:
        measure_speed(arguments.photos)


if __name__ == "__main__":
    main()
