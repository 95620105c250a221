"""Seconds of a template portrait at 1024 x 1024: engine alone, with the template analysed before and not.

    python benchmarks/compose_speed.py [--repeat 7]

Uses the public-domain portraits that come with scikit-image and matplotlib, enlarged to 1024 px. Targets: under 0.5 s
with the template analysed, under 2 s cold (face reading included), models loaded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage.data

from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem, build
from portraitist.compose.occlusion import find_occluders, wears_glasses
from portraitist.compose.template import load_sitter, place_sitter, view_slot
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.scenes.slots import find_slots
from portraitist.types import Image, Pixels, Reference


def seconds(work: Callable[[], object], repeat: int) -> str:
    """Median and range of `repeat` runs after one that is not counted."""
    work()
    taken = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return f"{np.median(taken):.3f} s  ({min(taken):.3f} - {max(taken):.3f})"


def square(image: Image, side: int) -> Image:
    side_ = min(image.shape[:2])
    return np.asarray(
        cv2.resize(np.ascontiguousarray(image[:side_, :side_]), (side, side), interpolation=cv2.INTER_CUBIC), np.uint8
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7)
    repeat = parser.parse_args().repeat
    hopper = cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))[..., ::-1]
    template, photo = Pixels(square(hopper, 1024)), Pixels(skimage.data.astronaut())
    reader, config = FaceReader.load(Placement()), ComposeConfig()
    reference = Reference(photo, max(reader.read(photo.image), key=lambda f: f.width))
    scene = find_slots(template, reader)
    engine = build(config, Placement())
    number = max(scene.slots, key=lambda s: s.face.width).number
    face = scene.slots[number - 1].face

    def cold() -> object:
        return next(
            iter(build(config, Placement())(ComposeItem(find_slots(template, reader), {number: [reference]}), seed=0))
        )

    def warm() -> object:
        return next(iter(engine(ComposeItem(scene, {number: [reference]}), seed=0)))

    view, sitter = view_slot(template.image, face, config), load_sitter(reference, face.width)
    rows: list[tuple[str, Callable[[], object]]] = [
        ("portrait, template analysed before", warm),
        ("portrait, cold template", cold),
        ("  of it: find the slots (face reading)", lambda: find_slots(template, reader)),
        ("  of it: analyse the slot", lambda: view_slot(template.image, face, config)),
        (
            "     of it: occluders",
            lambda: (find_occluders(view.pixels, view.face), wears_glasses(view.pixels, view.face)),
        ),
        ("  of it: load the sitter", lambda: load_sitter(reference, face.width)),
        ("  of it: place the sitter", lambda: place_sitter(view, sitter, config)),
    ]
    for name, work in rows:
        sys.stdout.write(f"{name:42s} {seconds(work, repeat)}\n")


if __name__ == "__main__":
    main()
