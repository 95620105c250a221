"""Pictures of what a network finds on held-back views, beside what is there."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from torch import nn

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.found import FoundMark
from portraitist.marks.labelled import LabelledView
from portraitist.marks.network_config import MarkNetworkConfig
from portraitist.marks.network_training import marks_of
from portraitist.marks.scoring import Score, score
from portraitist.types import Image

COLOURS = {
    "mole": (255, 60, 60),
    "spot": (255, 200, 0),
    "pimple": (255, 0, 255),
    "scar": (0, 220, 255),
    "wrinkle": (60, 255, 60),
}
Detected = tuple[LabelledView, list[FoundMark]]


def detections(
    network: nn.Module, views: Sequence[LabelledView], config: MarkNetworkConfig
) -> tuple[list[Detected], str]:
    """What is found on each view, and how good that is in a sentence."""
    found = [(view, marks_of(network, view.view, config)) for view in views]
    total = sum((score(marks, view) for view, marks in found), Score())
    figures = {name: value for name, value in total.plain().items() if value is not None}
    return found, ", ".join(f"{name} {value:.3g}" for name, value in figures.items())


def sheet(found: Sequence[Detected]) -> bytes:
    """A JPEG, three views a row: squares are true marks, circles found ones; true wrinkles thick, found ones thin."""
    drawn = [_drawn(view, marks) for view, marks in found]
    drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % 3)
    rows = [np.concatenate(drawn[start : start + 3], axis=1) for start in range(0, len(drawn), 3)]
    coded = cv2.imencode(".jpg", np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return bytes(coded.tobytes())


def _drawn(view: LabelledView, marks: Sequence[FoundMark]) -> Image:
    canvas = view.view.pixels.copy()
    for mark in view.marks:
        _draw(canvas, mark, is_true=True)
    for found in marks:
        _draw(canvas, found, is_true=False)
    return canvas


def _draw(canvas: Image, mark: AnnotatedMark | FoundMark, *, is_true: bool) -> None:
    colour = COLOURS[mark.kind] if not isinstance(mark, AnnotatedMark) or mark.is_sure else (160, 160, 160)
    points = np.round(mark.points).astype(np.int32)
    if mark.kind == "wrinkle":
        half = [int(value * (0.6 if is_true else 1)) for value in colour]
        cv2.polylines(canvas, [points.reshape(-1, 1, 2)], False, half, 5 if is_true else 2, cv2.LINE_AA)
        return
    radius = round(6 + (mark.diameter or 6) / 2)
    (x, y) = (int(value) for value in points[0])
    if is_true:
        cv2.rectangle(canvas, (x - radius - 3, y - radius - 3), (x + radius + 3, y + radius + 3), colour, 1)
    else:
        cv2.circle(canvas, (x, y), radius, colour, 2, cv2.LINE_AA)
