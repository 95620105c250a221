"""Medians of the steps a portrait is made of, measured on this machine with the demo people."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent

Row = tuple[str, float]


def time_steps(repeats: int = 5, report: Report = silent) -> list[Row]:
    """(step, median seconds) of detection with mesh, embedding, and a whole read of a 12-megapixel JPEG."""
    import tempfile

    from portraitist.faces.reader import FaceReader
    from portraitist.image import open_photo
    from portraitist.tasks.demo import collins

    reader = FaceReader.load(Placement())
    image = collins()
    face = reader.read(image)[0]
    with tempfile.TemporaryDirectory() as folder:
        photo = _large_photo(Path(folder))
        steps: dict[str, Callable[[], Any]] = {
            "faces of a 512 px photo (detection, mesh, pose, quality)": lambda: reader.read(image, embed=False),
            "descriptor of one face": lambda: reader.embed(image, face),
            "12-megapixel JPEG decoded at 1000 px": lambda: open_photo(photo).pixels(1000),
            "12-megapixel JPEG read whole, as album add does": lambda: reader.read(open_photo(photo).pixels(1000)),
        }
        rows = []
        for done, (name, step) in enumerate(steps.items()):
            report(Step("timing", done, len(steps), name))
            rows.append((name, _median(step, repeats)))
        return rows


def _median(step: Callable[[], Any], repeats: int) -> float:
    step()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _large_photo(folder: Path) -> Path:
    import cv2

    from portraitist.image import encode_image
    from portraitist.tasks.demo import collins

    large = cv2.resize(collins(), (3464, 3464), interpolation=cv2.INTER_CUBIC)
    path = folder / "large.jpg"
    path.write_bytes(encode_image(large, "jpeg", quality=92))
    return path
