"""What retouching leaves alone: the marks that the sitter keeps."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.marks.anchor import is_visible, millimetres_per_pixel, place
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import PointMark, Wrinkle
from portraitist.marks.surface import skin_frame
from portraitist.types import Face, Mask

_WIDE = 2.0
"""A mark is protected over this many times its size: the mesh may be off by a millimetre, and edges count."""
_SHIFT = 4


def kept_mask(face: Face, sitter_map: MarksMap, size: tuple[int, int]) -> Mask:
    """(h, w) of `size`, 1 on the sitter's marks that are kept and seen: `protect` of `retouch.smooth`.

    face: in pixels of the picture. Marks to be softened or removed are not protected.
    """
    mask = np.zeros(size, np.uint8)
    for mark in sitter_map.all:
        if mark.action != "keep":
            continue
        if isinstance(mark, PointMark):
            _fill_disc(mask, mark, face)
        else:
            _draw_line(mask, mark, face)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5 / millimetres_per_pixel(face), 0.5))
    return np.asarray(np.maximum(mask, soft) / np.float32(255), np.float32)


def _fill_disc(mask: np.ndarray, mark: PointMark, face: Face) -> None:
    if not is_visible(mark.anchor, face):
        return
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (_WIDE * mark.diameter_mm / 2)
    outline = place(mark.anchor, face) + ring @ skin_frame(mark.anchor, face).T
    cv2.fillPoly(mask, [np.round(outline * 2**_SHIFT).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)


def _draw_line(mask: np.ndarray, mark: Wrinkle, face: Face) -> None:
    for start, end, width in zip(mark.anchors[:-1], mark.anchors[1:], mark.width_mm, strict=False):
        if is_visible(start, face) and is_visible(end, face):
            ends = [np.round(place(a, face) * 2**_SHIFT).astype(int).tolist() for a in (start, end)]
            across = max(1, round(_WIDE * width / millimetres_per_pixel(face)))
            cv2.line(mask, ends[0], ends[1], 255, across, cv2.LINE_AA, _SHIFT)
