"""Engine of the task `paint`: people of a picture painted by a frame painter, and put back without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from portraitist import weights
from portraitist.errors import InputError
from portraitist.geometry import fit_within
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.retouch.matte import estimate_foreground, estimate_matte_closed_form, person_trimap
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.disguise import disguised
from portraitist.stylize.frame import Framed, frame_face, in_frame, paste
from portraitist.stylize.lift import LiftingPainter
from portraitist.stylize.painter import OnnxPainter
from portraitist.stylize.painter_file import MULTIPLE, PainterFile
from portraitist.stylize.painting import FramePainter
from portraitist.stylize.region import face_region, hair_region, head_region, nearest_to, person_region
from portraitist.types import Face, Image, Mask


@dataclass(frozen=True, eq=False)
class PaintItem:
    """A picture and who is painted in it. others: faces that stay as they are. disguise: for each face a level of
    `disguise.disguised`, empty for none. steadied: given a face's index and its region in the frame, the region that is
    used: a video's memory of the frames before."""

    image: Image
    faces: Sequence[Face]
    others: Sequence[Face] = ()
    disguise: Sequence[int] = ()
    steadied: Callable[[int, Mask], Mask] | None = None


@dataclass(frozen=True, eq=False)
class Painted:
    """image: (h, w, 3), with a transparent background (side, side, 4). changed: (h, w) how much of the painting shows;
    0 where every byte is the picture's own. details: JSON-ready facts."""

    image: Image
    changed: Mask
    details: Mapping[str, Any] = field(default_factory=dict)


class PaintEngine:
    """Paints with any `FramePainter`. Nothing is drawn by chance: every seed gives the same picture."""

    def __init__(
        self, painter: FramePainter, config: PaintConfig, placement: Placement, report: Report = silent
    ) -> None:
        self.painter, self.config, self._report = painter, config, report
        self._person = LiteNetwork(weights.fetch("selfie-segmentation", report), placement.threads)

    def __call__(self, item: PaintItem, *, seed: int = 0) -> Iterator[Painted]:
        """One painted picture. Raises InputError when an avatar is asked for and there is not exactly one face."""
        if self.config.surroundings == "transparent":
            yield self._avatar(item)
        elif self.config.area == "full":
            yield self._whole(item)
        else:
            yield self._people(item)

    def _people(self, item: PaintItem) -> Painted:
        image, changed = item.image, np.zeros(item.image.shape[:2], np.float32)
        everybody = [*item.faces, *item.others]
        for index, face in enumerate(item.faces):
            # Framed from the picture as it was: a neighbour painted before must not be painted again.
            framed = frame_face(item.image, face, self.frame_side(), self.painter.part)
            region = self.region(framed, everybody, index)
            region = region if item.steadied is None else item.steadied(index, region)
            level = item.disguise[index] if item.disguise else 0
            painting = self.painter(disguised(framed.image, framed.face, level))
            region = region if painting.mask is None else region * _softened(painting.mask)
            image, shown = paste(image, painting.image, region, framed.matrix, self.config.strength)
            changed = np.maximum(changed, shown)
            self._report(Step("paint", index + 1, len(item.faces)))
        return Painted(image, changed, {"faces": len(item.faces)})

    def frame_side(self) -> int:
        """The painter's own side, or what was asked for, as a multiple of 32."""
        return max(MULTIPLE, round((self.config.side or self.painter.side) / MULTIPLE) * MULTIPLE)

    def region(self, framed: Framed, everybody: Sequence[Face], own: int) -> Mask:
        """(side, side) where the painting of face `own` may show."""
        size = framed.image.shape[:2]
        if self.config.area == "face":
            return face_region(framed.face, size) * framed.inside
        person = person_region(framed.image, framed.face, self._person)
        region = head_region(person, framed.face, self.config)
        if len(everybody) > 1:
            region *= nearest_to([in_frame(face, framed.matrix) for face in everybody], own, size)
        return np.asarray(region * framed.inside, np.float32)

    def _whole(self, item: PaintItem) -> Painted:
        """The full picture, or with the background kept the people of it."""
        painted = paint_whole(self.painter, item.image, self.config.full_side)
        shown = self._shown_of_whole(item) * np.float32(self.config.strength)
        mixed = item.image + shown[..., None] * (painted.astype(np.float32) - item.image)
        image = np.where(shown[..., None] > 0, np.clip(np.rint(mixed), 0, 255), item.image).astype(np.uint8)
        return Painted(image, shown, {"faces": len(item.faces)})

    def _shown_of_whole(self, item: PaintItem) -> Mask:
        size = item.image.shape[:2]
        if self.config.surroundings == "painted" and self.config.hair == "painted":
            return np.ones(size, np.float32)
        shown = np.full(size, float(self.config.surroundings == "painted"), np.float32)
        for face in item.faces:
            person = person_region(item.image, face, self._person)
            hair = hair_region(person, face) if self.config.hair == "keep" else np.zeros_like(person)
            shown = np.maximum(shown, person) - hair
        return np.asarray(np.clip(shown, 0, 1), np.float32)

    def _avatar(self, item: PaintItem) -> Painted:
        """The largest face, cut out of the picture with its hair, on nothing."""
        if not item.faces:
            raise InputError("transparent: expected a face to cut out, found none; choose another picture")
        face = max(item.faces, key=lambda each: each.width)
        side = max(self.frame_side(), self.config.avatar_side // MULTIPLE * MULTIPLE)
        framed = frame_face(item.image, face, side, self.painter.part)
        matte, front = _cut_out(framed)
        painting = self.painter(front)
        region = face_region(framed.face, matte.shape)
        if self.config.area == "head":
            region = head_region(matte, framed.face, self.config, cut_out=True)
        region = region if painting.mask is None else region * _softened(painting.mask)
        image = front + (region * np.float32(self.config.strength))[..., None] * (
            painting.image.astype(np.float32) - front
        )
        alpha = region if self.config.area == "face" else matte * framed.inside
        layers = np.dstack([np.clip(np.rint(image), 0, 255), np.rint(alpha * 255)]).astype(np.uint8)
        size = (self.config.avatar_side, self.config.avatar_side)
        if layers.shape[0] != size[0]:
            layers = np.asarray(cv2.resize(layers, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Painted(layers, np.asarray(region, np.float32), {"faces": 1})


def paint_whole(painter: FramePainter, image: Image, side: int) -> Image:
    """A whole picture painted with its longer side at most `side` pixels, at its own size again."""
    h, w = image.shape[:2]
    small = fit_within(image, side)
    rows, columns = (-small.shape[0] % MULTIPLE, -small.shape[1] % MULTIPLE)
    padded = cv2.copyMakeBorder(small, 0, rows, 0, columns, cv2.BORDER_REFLECT_101)
    painted = painter(np.asarray(padded, np.uint8)).image[: small.shape[0], : small.shape[1]]
    if painted.shape == image.shape:
        return painted
    return np.asarray(cv2.resize(painted, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)


def _cut_out(framed: Framed) -> tuple[Mask, Image]:
    """The matte of the framed person, and their own colours without the background's at the hair."""
    matte = estimate_matte_closed_form(framed.image, person_trimap(framed.image, framed.face))
    return matte, estimate_foreground(framed.image, matte)


def _softened(mask: Mask) -> Mask:
    """A painter's own mask without the staircase of the frame's pixels."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.004 * mask.shape[0])), np.float32)


@dataclass(frozen=True)
class FilePaintConfig:
    """A painter's folder, and how it is applied."""

    file: PainterFile
    paint: PaintConfig


def build(config: FilePaintConfig, placement: Placement, *, report: Report = silent) -> PaintEngine:
    """The engine of a trained painter. Raises WeightsError when its file is not one, PlacementError off the CPU."""
    return PaintEngine(frame_painter(config.file, placement), config.paint, placement, report)


def frame_painter(file: PainterFile, placement: Placement) -> FramePainter:
    """A trained painter that paints a framed face as its card says. Raises like `build`."""
    painter = OnnxPainter(file, placement)
    return LiftingPainter(painter, file.card.lift) if file.card.lift else painter
