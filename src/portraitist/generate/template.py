"""A sitter's face painted inside a template, in two passes around compose's portrait, by any base.

The base sees each face in its own framing and size. Pass one paints the face, pass two the ring around it; between them
the colours follow the template's skin and compose's face is mixed in. Outside the masks no pixel of the template
changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from portraitist.diffusion.conditions import draw_canny, draw_colour_grid, draw_face_points, draw_mesh
from portraitist.diffusion.painters import Condition, Painter
from portraitist.faces.align import align_portrait
from portraitist.faces.regions import eyes_mask, lips_mask, oval_mask, skin_mask
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.frame import Frame, View, face_masks
from portraitist.geometry import apply
from portraitist.progress import Report, Step, silent
from portraitist.retouch.colour import from_lab, match_skin, skin_tone, to_lab
from portraitist.types import Face, Image, Mask, Points, Portrait, derive

BACKGROUND_EDGE = 0.05
"""Over which part of the longer side the background pass fades in around people."""


@dataclass(frozen=True)
class TemplateOrder:
    """What to paint. start: compose's portrait in the template. faces: the sitter's faces in it, in its pixels.
    template: the photo itself, whose skin the colours follow. prompt: with the trigger. pasted: for each face the mesh
    of the sitter's own photo laid on it (`choose.lay_on`), where there is one."""

    start: Portrait
    faces: Sequence[Face]
    template: Image
    prompt: str
    sources: tuple[str, ...] = ()
    pasted: Sequence[Points] = ()


@dataclass
class TemplateEngine:
    """Two passes on each face. face, ring: who paints the passes, each with the controls it has. side: pixels of the
    base's pictures."""

    face: Painter
    ring: Painter
    config: TwoPassConfig
    side: int
    report: Report = silent

    def __call__(self, order: TemplateOrder, *, seed: int) -> Portrait:
        """The finished portrait; `changed` is where it differs from the template."""
        image = order.start.image
        changed = np.zeros(image.shape[:2], np.float32)
        if order.start.changed is not None:
            changed = np.maximum(changed, order.start.changed)
        records = list(order.start.details.get("painted", ()))
        timings = dict(order.start.details.get("timings", {}))
        for number in range(len(order.faces)):
            before = image
            image, painted = self._one_face(image, number, order, derive(seed, number), timings)
            changed = np.maximum(changed, painted)
            records.append(self._record(before, image, painted))
            self.report(Step("paint", number + 1, len(order.faces)))
        sources = tuple(dict.fromkeys((*order.start.sources, *order.sources)))
        mean = round(float(np.mean([record["mean_change"] for record in records])), 3) if records else 0.0
        added = {"painted": records, "mean_change": mean, "timings": timings}
        return Portrait(image, sources, changed, {**order.start.details, **added})

    def _one_face(
        self, start: Image, number: int, order: TemplateOrder, seed: int, timings: dict[str, float]
    ) -> tuple[Image, Mask]:
        face = order.faces[number]
        frame = Frame.around(start, face, self.side)
        inner, ring = face_masks(frame.face, (self.side, self.side), self.config)
        skin = align_portrait(order.template, face.landmarks, self.side)[0]
        pasted = apply(frame.matrix, order.pasted[number]) if order.pasted else frame.face.landmarks
        with _timed(timings, "face pass"):
            painted = paint_face(self.face, frame, inner, order.prompt, self.config, seed, pasted=pasted)
        painted = like_skin(painted, frame.face, skin)
        # Face fusion: compose's own face is the sitter's photo, and keeps what a base loses.
        painted = mixed(painted, frame.image, self.config.fusion)
        if self.config.ring_strength > 0:
            with _timed(timings, "ring pass"):
                second = replace(frame, image=painted)
                painted = paint_ring(self.ring, second, ring, order.prompt, self.config, derive(seed, 1))
            painted = like_skin(painted, frame.face, skin)
        return frame.carry_back(start, painted, np.maximum(inner, ring) if self.config.ring_strength > 0 else inner)

    def background(self, portrait: Portrait, people: Mask, prompt: str, *, seed: int) -> Portrait:
        """What is neither person nor face, painted weakly. people: (h, w) in the portrait's pixels, 1 on everyone."""
        view, timings = View.whole(portrait.image, self.side), dict(portrait.details.get("timings", {}))
        # Rising with the distance from everyone: a step would draw their outline on the background.
        away = cv2.distanceTransform((people == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        mask = view.shrunk(np.asarray(np.clip(away / (BACKGROUND_EDGE * max(people.shape)), 0, 1), np.float32))
        with _timed(timings, "background pass"):
            painted = paint_background(self.ring, view, mask, prompt, self.config, seed)
        image, weight = view.carry_back(portrait.image, painted, mask)
        # Shrinking blurred the mask's edge over the people; they keep every pixel.
        kept = people > 0
        image[kept], weight[kept] = portrait.image[kept], 0
        changed = weight if portrait.changed is None else np.maximum(portrait.changed, weight)
        return replace(portrait, image=image, changed=changed, details={**portrait.details, "timings": timings})

    def _record(self, before: Image, after: Image, painted: Mask) -> dict[str, Any]:
        """JSON-ready facts of one face. mean_change: of the pixels inside the mask, 0 to 255."""
        moved = np.abs(after.astype(np.float32) - before)[painted > 0.5]
        controls = {"face": list(self.face.kinds), "ring": list(self.ring.kinds)}
        return {"mean_change": round(float(moved.mean()) if moved.size else 0.0, 3), "controls": controls}


def paint_face(
    painter: Painter,
    frame: Frame,
    mask: Mask,
    prompt: str,
    config: TwoPassConfig,
    seed: int,
    *,
    pasted: Points | None = None,
) -> Image:
    """Pass one: the face from compose's picture of it. pasted: (468, 3) in the frame, the mesh the pose is taken from;
    None takes the frame's own."""
    mesh, size = frame.face.landmarks, frame.image.shape[:2]
    wanted: _Drawings = {
        "mesh": (config.face_mesh, lambda: draw_mesh(mesh, size)),
        "canny": (config.face_canny, lambda: draw_canny(frame.image)),
        "colour": (config.face_colour, lambda: draw_colour_grid(frame.image)),
        "pose": (config.face_pose, lambda: draw_face_points(mesh if pasted is None else pasted, size)),
    }
    return painter.paint(
        frame.image,
        mask,
        prompt,
        _drawn(painter, wanted),
        strength=config.face_denoise,
        steps=config.face_steps,
        seed=seed,
    )


def paint_ring(painter: Painter, view: View, mask: Mask, prompt: str, config: TwoPassConfig, seed: int) -> Image:
    """Pass two: the ring around the face (`face_masks`), held to the view's own edges and colours."""
    return painter.paint(
        view.image,
        mask,
        prompt,
        _drawn(painter, _as_it_is(view.image, config)),
        strength=config.ring_strength,
        steps=config.ring_steps,
        seed=seed,
    )


def paint_background(painter: Painter, view: View, mask: Mask, prompt: str, config: TwoPassConfig, seed: int) -> Image:
    """The optional pass: what is behind everyone, held to its edges and colours as the ring is."""
    return painter.paint(
        view.image,
        mask,
        prompt,
        _drawn(painter, _as_it_is(view.image, config)),
        strength=config.background_denoise,
        steps=config.ring_steps,
        seed=seed,
    )


_Drawings = Mapping[str, tuple[float, Callable[[], Image]]]
"""Kind -> weight, and what draws the condition."""


def _as_it_is(image: Image, config: TwoPassConfig) -> _Drawings:
    return {"canny": (config.ring_canny, lambda: draw_canny(image)), "tile": (config.ring_tile, lambda: image)}


def _drawn(painter: Painter, wanted: _Drawings) -> dict[str, Condition]:
    """A condition for each control that the painter has."""
    return {kind: Condition(wanted[kind][1](), wanted[kind][0]) for kind in painter.kinds}


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[stage] = round(timings.get(stage, 0.0) + time.perf_counter() - started, 3)


def like_skin(painted: Image, face: Face, template: Image) -> Image:
    """The painted face in the tone of the template's skin; lips and eyes keep their own, and so does everything beyond
    the face: hair and background moved with the skin would stand out as an oval."""
    size = painted.shape[:2]
    skin = skin_mask(face, size)
    lab = to_lab(painted)
    matched = match_skin(lab, skin_tone(lab, skin), skin_tone(to_lab(template), skin))
    inside = cv2.GaussianBlur(oval_mask(face, size), (0, 0), 0.03 * float(np.ptp(face.landmarks[:, 0])))
    share = (inside * (1 - np.clip(lips_mask(face, size) + eyes_mask(face, size), 0, 1)))[..., None]
    result = share * matched + (1 - share) * lab
    return np.asarray(np.round(from_lab(np.asarray(result, np.float32)) * 255), np.uint8)


def mixed(one: Image, other: Image, share: float) -> Image:
    """`share` of the other picture in the one."""
    return np.asarray(np.round((1 - share) * one.astype(np.float32) + share * other), np.uint8)
