"""What all marks of one portrait share, and how one of them would look in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.light import estimate_light
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask
from portraitist.faces.topology import mean_face
from portraitist.marks.anchor import Anchor, millimetres_per_pixel, place, place_by_affine
from portraitist.marks.config import TransferConfig
from portraitist.marks.density import Density
from portraitist.marks.hair import Hairiness, hairiness_of
from portraitist.marks.hiding import REACH_MM, why_hidden
from portraitist.marks.mark import Mark, PointMark, Wrinkle
from portraitist.marks.relief import course_of, crease_site, crease_stamp
from portraitist.marks.sharpness import blur_of
from portraitist.marks.site import Site, spot_site
from portraitist.marks.stamp import spot_stamp
from portraitist.marks.surface import skin_frame
from portraitist.types import Face, Image, Mask

_RIM_MM = 1.0


@dataclass(frozen=True, eq=False)
class Canvas:
    """A portrait to draw on. hidden: (h, w), 1 where something covers the face. usable: 1 where pixels tell of skin;
    within: of those, the ones inside the face's outline.
    hair: tells beards and strands. blur: of the picture, deviation in pixels. light: `types.Light.direction`."""

    image: Image
    face: Face
    config: TransferConfig
    hidden: Mask | None
    usable: Mask
    within: Mask
    hair: Hairiness
    blur: float
    light: tuple[float, float]

    @property
    def reach(self) -> float:
        """Pixels around its place in which the portrait's own copy of a mark may lie."""
        return REACH_MM / millimetres_per_pixel(self.face)

    def skin_around(self, at: NDArray[np.floating]) -> Mask:
        """(h, w) what tells of the skin around (2,) `at`: beyond the outline only where the mark itself lies there."""
        x, y = (round(float(value)) for value in at)
        return self.within if self.within[y, x] > 0 else self.usable


@dataclass(frozen=True, eq=False)
class Drawing:
    """A mark in a portrait: where, and the density it adds at full strength."""

    site: Site
    stamp: Density


def canvas_of(image: Image, face: Face, config: TransferConfig, hidden: Mask | None) -> Canvas:
    """The canvas of a face in pixels of `image`."""
    size = (image.shape[0], image.shape[1])
    parts = [eyes_mask(face, size), brows_mask(face, size), lips_mask(face, size)]
    covers = parts if hidden is None else [*parts, hidden]
    usable = np.asarray(1 - np.maximum.reduce(covers), np.float32)
    light = face.light or estimate_light(image, face)
    hair = hairiness_of(image, face, usable)
    within = usable * _inside(face, size)
    return Canvas(image, face, config, hidden, usable, within, hair, blur_of(image, face), light.direction)


def _inside(face: Face, size: tuple[int, int]) -> Mask:
    """(h, w) 1 well inside the outline: the mesh misses it by a millimetre, and what lies beyond is no skin."""
    across = 2 * max(1, round(_RIM_MM / millimetres_per_pixel(face))) + 1
    return np.asarray(cv2.erode(oval_mask(face, size), np.ones((across, across), np.uint8)), np.float32)


def places_of(mark: Mark, canvas: Canvas) -> NDArray[np.float64]:
    """(n, 2) pixels: one row of a point mark, one an anchor of a wrinkle."""
    anchors = (mark.anchor,) if isinstance(mark, PointMark) else mark.anchors
    return np.array([_place(anchor, canvas) for anchor in anchors], np.float64)


def drawing_of(mark: Mark, canvas: Canvas, at: NDArray[np.floating] | None = None) -> Drawing | str:
    """The mark in the portrait, or why it is not drawn. at: (2,) where its middle lies, if not at its own place."""
    places = places_of(mark, canvas)
    if at is not None:
        places = places + (np.asarray(at) - places[len(places) // 2])
    if isinstance(mark, PointMark):
        return _spot(mark, places[0], canvas)
    return _crease(mark, places, canvas)


def _place(anchor: Anchor, canvas: Canvas) -> NDArray[np.float32]:
    if canvas.config.marks_method == "anchor":
        return place(anchor, canvas.face)
    # The photo's own landmarks are not kept in the map: the mean face stands for them.
    return place_by_affine(anchor.on(mean_face())[:2], mean_face(), canvas.face.landmarks)


def _spot(mark: PointMark, at: NDArray[np.float64], canvas: Canvas) -> Drawing | str:
    reason = _why_not(mark.anchor, at, canvas)
    if reason is not None:
        return reason
    if mark.diameter_mm / millimetres_per_pixel(canvas.face) < canvas.config.marks_least:
        return "too small"
    frame = skin_frame(mark.anchor, canvas.face)
    site = spot_site(canvas.image, at, frame, mark.diameter_mm, canvas.skin_around(at), canvas.reach)
    return _uncovered(Drawing(site, spot_stamp(mark, site, frame, canvas.blur)), canvas)


def _crease(mark: Wrinkle, places: NDArray[np.float64], canvas: Canvas) -> Drawing | str:
    reasons = [_why_not(anchor, at, canvas) for anchor, at in zip(mark.anchors, places, strict=True)]
    hidden = [reason for reason in reasons if reason is not None]
    if 2 * len(hidden) > len(reasons):
        return hidden[0]
    if max(mark.width_mm) / millimetres_per_pixel(canvas.face) < canvas.config.marks_least / 2:
        return "too small"
    course = course_of(mark, places, canvas.face, np.array([reason is None for reason in reasons]))
    site = crease_site(canvas.image, course, canvas.usable, canvas.reach)
    return _uncovered(Drawing(site, crease_stamp(mark, course, site, canvas.light, canvas.blur)), canvas)


def _why_not(anchor: Anchor, at: NDArray[np.float64], canvas: Canvas) -> str | None:
    return why_hidden(anchor, at, canvas.face, (canvas.image.shape[0], canvas.image.shape[1]), canvas.hidden)


def _uncovered(drawing: Drawing, canvas: Canvas) -> Drawing:
    """The part of it that nothing covers: hair over half a mole leaves the other half."""
    if canvas.hidden is None:
        return drawing
    clear = 1 - canvas.hidden[drawing.site.rows]
    return replace(drawing, stamp=np.asarray(drawing.stamp * clear[..., None], np.float32))
