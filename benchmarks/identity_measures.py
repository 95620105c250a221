"""What is measured of one picture of a sitter: distance to the report photos, copy-paste, a change of pose or face."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from portraitist.faces.align import align_portrait
from portraitist.faces.ranking import aligned_chip, copy_paste, correlation, measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import largest_face
from portraitist.types import Face, Image, Reference

TURN = 10.0
"""Degrees of yaw or pitch that count as another pose."""
SMILE, MOUTH = 0.30, 0.35
"""Changes of `Expression` that count as another expression: the gap between "serious" and "smiling", and between
"mouth closed" and "mouth open", in diffusion/captions.py."""


def measure(
    image: Image,
    reader: FaceReader,
    report: Sequence[Reference],
    own: Sequence[Reference],
    used: Collection[str] = (),
) -> dict[str, Any]:
    """JSON-ready measures; all None where no face is found.

    distance: to the nearest report photo that is not in `used`. pixels, photo_distance: of the nearest of the sitter's
    `own` photos. differs: from that photo in pose or expression.
    """
    face = largest_face(image, reader)
    if face is None:
        return {"distance": None, "pixels": None, "photo_distance": None, "differs": None}
    copied = copy_paste(image, face, own)
    assert copied is not None
    nearest = next(one for one in own if one.picture.digest == copied.nearest)
    return {
        "distance": measure_likeness(face, report, used).best_distance,
        "pixels": copied.pixels,
        "photo_distance": copied.distance,
        "differs": differs(face, nearest.face),
    }


def differs(one: Face, other: Face) -> bool:
    """Another pose, smile or mouth."""
    if max(abs(one.pose.yaw - other.pose.yaw), abs(one.pose.pitch - other.pose.pitch)) >= TURN:
        return True
    if one.expression is None or other.expression is None:
        return False
    smile = abs(one.expression.smile - other.expression.smile)
    return smile >= SMILE or abs(one.expression.mouth_open - other.expression.mouth_open) >= MOUTH


def own_pairs(photos: Sequence[Reference]) -> dict[str, list[float]]:
    """For each photo of a person how near the nearest other one is, in pixels (correlation) and in distance."""
    chips = [aligned_chip(_pixels(photo), _face(photo)) for photo in photos]
    count = len(photos)
    if count < 2:
        return {"pixels": [], "distance": []}
    pixels = [max(correlation(chips[i], chips[k]) for k in range(count) if k != i) for i in range(count)]
    faces = [photo.face.embedding for photo in photos]
    known = [face for face in faces if face is not None]
    distances = [min(one.distance(other) for other in known if other is not one) for one in known]
    return {"pixels": pixels, "distance": distances}


def reduced(photo: Reference, side: int) -> Image:
    """A real photo as the base would have to draw it: framed, at its size."""
    return align_portrait(_pixels(photo), _face(photo).landmarks, side)[0]


def floor(photos: Sequence[Reference], report: Sequence[Reference], side: int, reader: FaceReader) -> list[float]:
    """Distances of other real photos, reduced to the base's size, to the report photos; those without a face are
    left out."""
    faces = [largest_face(reduced(photo, side), reader) for photo in photos]
    found = [measure_likeness(face, report, ()).best_distance for face in faces if face is not None]
    return [float(distance) for distance in found if distance is not None]


def head(image: Image, face: Face | None) -> Image:
    """The picture around the face, square; whole where there is none."""
    if face is None:
        return image
    reach = 0.9 * face.width
    low = np.maximum(np.round(face.centre - reach), 0).astype(int)
    high = np.round(face.centre + reach).astype(int)
    return image[low[1] : high[1], low[0] : high[0]]


def _pixels(photo: Reference) -> Image:
    return photo.picture.pixels(1024)


def _face(photo: Reference) -> Face:
    """The face in the pixels of `_pixels`."""
    return photo.face.scaled(_pixels(photo).shape[1] / photo.picture.size[1])
