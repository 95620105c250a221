"""Parts of a portrait as a base sees them, the masks that are painted there, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.align import align_portrait
from portraitist.faces.regions import oval_mask
from portraitist.generate.config import TwoPassConfig
from portraitist.geometry import Matrix, apply, bounding_box, invert
from portraitist.types import Face, Image, Mask

MULTIPLE = 16
"""Sides of a base's pictures: eight pixels to a latent, two latents to a patch of the transformers."""


@dataclass(frozen=True)
class View:
    """A part of a portrait in the base's pixels. image: (h, w, 3). matrix: (2, 3), from the portrait to it. inside: 1
    where the portrait reaches."""

    image: Image
    matrix: Matrix
    inside: Mask

    @classmethod
    def whole(cls, image: Image, side: int) -> View:
        """All of the picture, its longer side about `side` at most, both sides as bases take them."""
        h, w = image.shape[:2]
        factor = min(1.0, side / max(h, w))
        new_h, new_w = (max(MULTIPLE, round(factor * length / MULTIPLE) * MULTIPLE) for length in (h, w))
        matrix = np.array([[new_w / w, 0, 0], [0, new_h / h, 0]], np.float64)
        small = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA)
        return cls(np.asarray(small, np.uint8), matrix, np.ones((new_h, new_w), np.float32))

    def shrunk(self, mask: Mask) -> Mask:
        """A mask of the whole portrait in this view's pixels. For `whole` views."""
        small = cv2.resize(mask, self.image.shape[1::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(small, 0, 1), np.float32)

    @property
    def scale(self) -> float:
        """Pixels here to one of the portrait."""
        return float(np.sqrt(np.linalg.det(self.matrix[:, :2])))

    @property
    def is_as_fine(self) -> bool:
        """True when all the detail of the portrait is here."""
        return self.scale >= 1

    def carry_back(self, start: Image, painted: Image, mask: Mask) -> tuple[Image, Mask]:
        """The portrait with what was painted where the mask is, and the mask in its pixels.

        A view that is coarser than the portrait brings back what changed, as a difference: the photo's fine detail,
        which the base never saw, stays. One that is as fine replaces: it has lost nothing, and a difference would leave
        the old lashes and pores under the new ones.
        """
        h, w = start.shape[:2]
        mask = mask * self.inside
        x0, y0, x1, y1 = _window(mask, invert(self.matrix), (h, w))
        part = start[y0:y1, x0:x1].astype(np.float32)
        weight = self._back(mask, x0, y0, part.shape[:2])
        if self.is_as_fine:
            moved = weight[..., None] * (self._back(painted.astype(np.float32), x0, y0, part.shape[:2]) - part)
        else:
            difference = (painted.astype(np.float32) - self.image) * mask[..., None]
            moved = self._back(difference, x0, y0, part.shape[:2])
        result, whole = start.copy(), np.zeros((h, w), np.float32)
        part[weight > 0] += moved[weight > 0]
        result[y0:y1, x0:x1] = np.clip(np.round(part), 0, 255).astype(np.uint8)
        whole[y0:y1, x0:x1] = weight
        return result, whole

    def _back(self, values: NDArray[np.float32], x0: int, y0: int, size: tuple[int, ...]) -> NDArray[np.float32]:
        """Values of this view in the portrait's window of `size` (h, w) at (x0, y0)."""
        back = invert(self.matrix)
        if self.scale > 1.5:
            # A warp alone would skip pixels.
            values = cv2.GaussianBlur(values, (0, 0), 0.4 * self.scale)
        back[:, 2] -= (x0, y0)
        kind = cv2.INTER_LINEAR if values.ndim == 2 else cv2.INTER_CUBIC
        border = cv2.BORDER_CONSTANT if values.ndim == 2 else cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(values, back, size[::-1], flags=kind, borderMode=border), np.float32)


@dataclass(frozen=True)
class Frame(View):
    """One face as the base sees it. face: in the view's pixels."""

    face: Face

    @classmethod
    def around(cls, image: Image, face: Face, side: int) -> Frame:
        """The face framed at side x side pixels: about 1.7 times as wide as it is."""
        framed, matrix, inside = align_portrait(image, face.landmarks, side)
        landmarks = apply(matrix, face.landmarks)
        moved = replace(face, landmarks=landmarks, box_xyxy=bounding_box(landmarks))
        return cls(framed, matrix, inside, moved)


def face_masks(face: Face, size: tuple[int, int], config: TwoPassConfig) -> tuple[Mask, Mask]:
    """The face with a soft edge, and the ring around its outline: both (h, w) in [0, 1], in the base's pixels.

    Both fade towards the frame's border, which lies close under the chin: cut off there they would leave a line.
    """
    width = float(np.ptp(face.landmarks[:, 0]))
    oval = oval_mask(face, size)
    outer = grown(oval, (config.growth + config.ring) * width)
    inner = grown(oval, config.growth * width)
    kept = cv2.erode(inner, _disc(2 * config.ring * width))
    soft = max(0.6, 0.03 * width)
    blurred = [cv2.GaussianBlur(mask, (0, 0), soft) for mask in (inner, outer - kept)]
    # Blurred outwards no farther than the outer mask, so that what lies beyond keeps every pixel.
    allowed = outer * _faded(size)
    return np.asarray(blurred[0] * allowed, np.float32), np.asarray(np.clip(blurred[1], 0, 1) * allowed, np.float32)


def grown(mask: Mask, radius: float) -> Mask:
    """The mask (h, w), wider by `radius` pixels."""
    return np.asarray(cv2.dilate(mask, _disc(radius)), np.float32)


def _faded(size: tuple[int, int]) -> Mask:
    """(h, w) 1 inside, falling to 0 at the border over a sixteenth of each side."""
    ramps = [np.minimum(np.arange(n), np.arange(n)[::-1]) * (16 / n) for n in size]
    return np.asarray(np.clip(np.minimum(ramps[0][:, None], ramps[1][None]), 0, 1), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _window(mask: Mask, back: Matrix, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """xyxy in the portrait (h, w) around everything the mask touches; (0, 0, 1, 1) for an empty mask."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 0, 0, 1, 1
    x = np.array([columns.min() - 1, columns.max() + 2], np.float32)
    y = np.array([rows.min() - 1, rows.max() + 2], np.float32)
    corners = apply(back, np.stack([x[[0, 1, 0, 1]], y[[0, 0, 1, 1]]], axis=1))
    # The cubic filter, and the blur before it, reach two of the view's pixels farther.
    reach = 3 * max(1.0, float(np.sqrt(np.linalg.det(back[:, :2]))))
    low, high = np.floor(corners.min(axis=0) - reach), np.ceil(corners.max(axis=0) + reach)
    x0, y0 = (int(np.clip(low[i], 0, size[1 - i] - 1)) for i in (0, 1))
    x1, y1 = (int(np.clip(high[i], start + 1, size[1 - i])) for i, start in ((0, x0), (1, y0)))
    return x0, y0, x1, y1
