"""Measuring a finished ID photo against the rules of its format: the file is read again, nothing is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portraitist.compose.crop import measure_head
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.retouch.matte import PersonSegmenter, estimate_matte_closed_form, person_trimap
from portraitist.styles.formats import IdFormat
from portraitist.types import Image

TOLERANCE = 0.02
"""Of a limit: how far a measured length may be past it before the photo fails."""


@dataclass(frozen=True)
class IdMeasures:
    """Lengths in mm measured on the picture; `faults` says in words which rule is broken (empty: none).

    head: chin to top of the hair. eyes: eye line above the bottom edge. top: free space above. tilt in degrees.
    background: (3,) median colour of the upper corners, 0-255.
    """

    size: tuple[float, float]
    head: float
    eyes: float
    top: float
    below: float
    tilt: float
    background: tuple[int, int, int]
    faults: tuple[str, ...]


def measure_id_photo(
    image: Image, row: IdFormat, reader: FaceReader, segmenter: PersonSegmenter | None = None
) -> IdMeasures:
    """Find the one face in a finished ID photo and hold its lengths against the format, within 2 % of each limit.

    Raises InputError unless there is exactly one face.
    """
    faces = reader.read(image, embed=False)
    if len(faces) != 1:
        raise InputError(f"an ID photo: expected one face, found {len(faces)}; use a photo of one person")
    matte = estimate_matte_closed_form(image, person_trimap(image, faces[0], segmenter))
    head = measure_head(faces[0], matte, upright=False)
    mm = 25.4 / row.dpi
    h, w = image.shape[:2]
    lengths = {
        "head": head.height * mm,
        "eyes": (h - head.eyes) * mm,
        "top": head.crown * mm,
        "below": (h - head.chin) * mm,
    }
    corner = max(2, w // 12)
    corners = np.concatenate([image[:corner, :corner].reshape(-1, 3), image[:corner, -corner:].reshape(-1, 3)])
    red, green, blue = (int(v) for v in np.median(corners, axis=0))
    tilt = measure_head(faces[0], matte).roll
    faults = tuple(_faults(row, (h, w), lengths))
    return IdMeasures((w * mm, h * mm), **lengths, tilt=tilt, background=(red, green, blue), faults=faults)


def _faults(row: IdFormat, size: tuple[int, int], lengths: dict[str, float]) -> Sequence[str]:
    found = (
        []
        if size == row.pixels
        else [f"size: expected {row.pixels[1]} x {row.pixels[0]} px, found {size[1]} x {size[0]}"]
    )
    limits = {"head": row.head, "eyes": row.eyes, "top": row.top, "below": (row.below, row.size[1])}
    for name, limit in limits.items():
        if limit and not limit[0] * (1 - TOLERANCE) <= lengths[name] <= limit[1] * (1 + TOLERANCE):
            found.append(f"{name}: expected {limit[0]:g} to {limit[1]:g} mm, found {lengths[name]:.1f}")
    return found
