"""Milliseconds of each part of reading one face, on one core, smallest of seven runs.

python benchmarks/faces_speed.py [PHOTO]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from portraitist.faces.light import estimate_light
from portraitist.faces.pyramid import Pyramid
from portraitist.faces.quality import measure_quality
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.types import Image


def photo() -> Image:
    """The photo of the command line, or the astronaut, with a longer side of 1600 px."""
    if len(sys.argv) > 1:
        image = cv2.imread(sys.argv[1], cv2.IMREAD_COLOR_RGB)
    else:
        import skimage.data

        image = skimage.data.astronaut()
    factor = 1600 / max(image.shape[:2])
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor), np.uint8)


def best(call: Callable[[], object], runs: int = 7) -> float:
    """Smallest time in milliseconds, after one call to warm up."""
    call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def main() -> None:
    cv2.setNumThreads(1)
    reader, image = FaceReader.load(Placement(threads=1)), photo()
    face, levels = reader.read(image)[0], Pyramid(image)
    assert face.expression is not None
    expression = face.expression
    rows: dict[str, Callable[[], object]] = {
        "read, with embedding": lambda: reader.read(image),
        "read, without embedding": lambda: reader.read(image, embed=False),
        "search": lambda: reader.search.find(Pyramid(image)),
        "search, thorough": lambda: reader.search.find(Pyramid(image), thorough=True),
        "mesh": lambda: reader.mesh.fit(levels, face.centre, face.width, face.pose.roll),
        "quality": lambda: measure_quality(levels, face, expression),
        "light": lambda: estimate_light(image, face),
        "embedding": lambda: reader.embed(image, face),
    }
    print("| part | ms |\n|---|---|")
    for name, call in rows.items():
        print(f"| {name} | {best(call):.1f} |", flush=True)


if __name__ == "__main__":
    main()
