"""Faces with painted skin, and maps made by hand, for the tests of what is drawn on a portrait."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.marks.anchor import Anchor, anchor_of
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.retouch.colour import from_lab
from portraitist.types import Face, Image
from tests.marks.meshes import head

SIZE = 800
LIGHT, MEDIUM, DARK = (75.0, 10.0, 16.0), (58.0, 14.0, 20.0), (38.0, 12.0, 15.0)


def skin(lab: tuple[float, float, float] = MEDIUM, noise: float = 0.0, seed: int = 0) -> Image:
    """Even skin all over the picture, with grain of `noise` grey levels."""
    plain = 255 * from_lab(np.full((SIZE, SIZE, 3), lab, np.float32))
    grain = np.random.default_rng(seed).normal(0, noise, (SIZE, SIZE, 1)) if noise else 0.0
    return np.clip(np.round(plain + grain), 0, 255).astype(np.uint8)


def anchor_at(vertex: int, face: Face | None = None) -> Anchor:
    """Next to a vertex that head-on can be seen."""
    seen = face or head()
    found = anchor_of(seen.landmarks[vertex, :2] + np.float32(0.25), seen)
    assert found is not None
    return found


def mole(vertex: int, name: str = "m", diameter: float = 4.0, drop: float = -18.0, **more: object) -> PointMark:
    """Without a patch."""
    return PointMark(name, "mole", anchor_at(vertex), diameter, (drop, 3.0, 4.0), **more)  # type: ignore[arg-type]


def cut_out(name: str, vertex: int, lab: tuple[float, float, float], drop: float = -20.0, side: int = 45) -> PointMark:
    """With a patch: a disc of one colour on skin of `lab`."""
    patch = np.zeros((side, side, 4), np.uint8)
    share = np.zeros((side, side), np.float32)
    cv2.circle(share, (side // 2, side // 2), side // 6, 1.0, -1, cv2.LINE_8)
    share = cv2.GaussianBlur(share, (0, 0), 0.8)
    on, off = (from_lab(np.full((1, 1, 3), value, np.float32)) for value in (np.add(lab, (drop, 2, 3)), lab))
    patch[..., :3] = np.round(255 * (share[..., None] * on + (1 - share[..., None]) * off))
    patch[..., 3] = np.round(255 * share)
    return PointMark(name, "mole", anchor_at(vertex), 4.0, (drop, 2.0, 3.0), 9.0, 0.9, patch, ("a", "b"), "keep", lab)


def wrinkle(vertices: tuple[int, ...], name: str = "w", depth: float = 10.0, width: float = 1.6) -> Wrinkle:
    anchors = tuple(anchor_at(vertex) for vertex in vertices)
    return Wrinkle(name, anchors, (width,) * len(anchors), (depth,) * len(anchors))


def map_with(*marks: PointMark | Wrinkle) -> MarksMap:
    points = tuple(mark for mark in marks if isinstance(mark, PointMark))
    return MarksMap(points, tuple(mark for mark in marks if isinstance(mark, Wrinkle)))
