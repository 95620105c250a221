"""A sitter's face painted inside a template, in two passes around compose's portrait.

The base sees each face in its own framing and size. What it changed there is carried back as a difference, so that a
small base adds likeness and light without taking the fine detail of the photo it is laid over. Outside the masks no
pixel of the template changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.conditions import draw_canny, draw_mesh
from portraitist.diffusion.masking import paint_inside
from portraitist.faces.align import align_portrait, frame_by
from portraitist.faces.regions import eyes_mask, lips_mask, oval_mask, skin_mask
from portraitist.generate.config import TwoPassConfig
from portraitist.geometry import Matrix, apply, bounding_box, invert
from portraitist.progress import Report, Step, silent
from portraitist.retouch.colour import from_lab, match_skin, skin_tone, to_lab
from portraitist.types import Face, Image, Mask, Portrait, derive


@dataclass(frozen=True)
class TemplateOrder:
    """What to paint. start: compose's portrait in the template. faces: the sitter's faces in it, in its pixels.
    template: the photo itself, whose skin the colours follow. prompt: with the trigger."""

    start: Portrait
    faces: Sequence[Face]
    template: Image
    prompt: str
    sources: tuple[str, ...] = ()


@dataclass
class TemplateEngine:
    """Two passes on each face. face_pipeline: image to image under the mesh and canny controls. ring_pipeline: under
    canny alone. side: pixels of the base's pictures."""

    face_pipeline: Any
    ring_pipeline: Any
    config: TwoPassConfig
    side: int
    guidance_scale: float
    report: Report = silent
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, order: TemplateOrder, *, seed: int) -> Portrait:
        """The finished portrait; `changed` is where it differs from the template."""
        image = order.start.image
        changed = np.zeros(image.shape[:2], np.float32)
        if order.start.changed is not None:
            changed = np.maximum(changed, order.start.changed)
        for number, face in enumerate(order.faces):
            image, painted = self._one_face(image, face, order, derive(seed, number))
            changed = np.maximum(changed, painted)
            self.report(Step("paint", number + 1, len(order.faces)))
        sources = tuple(dict.fromkeys((*order.start.sources, *order.sources)))
        moved = np.abs(image.astype(np.float32) - order.start.image)[changed > 0.5]
        details = {**order.start.details, "mean_change": round(float(moved.mean()) if moved.size else 0.0, 3)}
        return Portrait(image, sources, changed, details)

    def _one_face(self, start: Image, face: Face, order: TemplateOrder, seed: int) -> tuple[Image, Mask]:
        config = self.config
        frame = Frame.around(start, face, self.side)
        inner, ring = face_masks(frame.face, (self.side, self.side), config)
        painted = self._face_pass(frame, inner, order.prompt, seed)
        painted = like_skin(painted, frame.face, align_portrait(order.template, face.landmarks, self.side)[0])
        # Face fusion: compose's own face is the sitter's photo, and keeps what a small base loses.
        painted = mixed(painted, frame.image, config.fusion)
        if config.ring_denoise > 0:
            painted = self._ring_pass(replace(frame, image=painted), ring, order.prompt, seed)
        both = np.maximum(inner, ring) * frame.inside
        return frame.carry_back(start, painted, both)

    def _face_pass(self, frame: Frame, mask: Mask, prompt: str, seed: int) -> Image:
        config = self.config
        size = frame.image.shape[:2]
        controls = [draw_mesh(frame.face.landmarks, size), draw_canny(frame.image)]
        return paint_inside(
            self.face_pipeline,
            prompt,
            frame.image,
            mask,
            seed=seed,
            strength=config.face_denoise,
            num_inference_steps=config.face_steps,
            control_image=[as_picture(control) for control in controls],
            controlnet_conditioning_scale=[config.face_mesh, config.face_canny],
            guidance_scale=self._guidance,
            **self.options,
        )

    def _ring_pass(self, frame: Frame, mask: Mask, prompt: str, seed: int) -> Image:
        config = self.config
        return paint_inside(
            self.ring_pipeline,
            prompt,
            frame.image,
            mask,
            seed=derive(seed, 1),
            strength=config.ring_denoise,
            num_inference_steps=config.ring_steps,
            control_image=as_picture(draw_canny(frame.image)),
            controlnet_conditioning_scale=config.ring_canny,
            guidance_scale=self._guidance,
            **self.options,
        )

    @property
    def _guidance(self) -> float:
        return self.guidance_scale if self.config.guidance_scale is None else self.config.guidance_scale


@dataclass(frozen=True)
class Frame:
    """One face as the base sees it. image: (side, side, 3). face: in its pixels. matrix: from the portrait to it.
    inside: 1 where the portrait reaches."""

    image: Image
    face: Face
    matrix: Matrix
    inside: Mask

    @classmethod
    def around(cls, image: Image, face: Face, side: int) -> Frame:
        """The face framed at side x side pixels."""
        framed, matrix, inside = align_portrait(image, face.landmarks, side)
        landmarks = apply(matrix, face.landmarks)
        return cls(framed, replace(face, landmarks=landmarks, box_xyxy=bounding_box(landmarks)), matrix, inside)

    def carry_back(self, start: Image, painted: Image, mask: Mask) -> tuple[Image, Mask]:
        """The portrait with the painted difference added where the mask is, and the mask in its pixels."""
        h, w = start.shape[:2]
        back = invert(self.matrix)
        before = frame_by(start, self.matrix, painted.shape[0])
        difference = (painted.astype(np.float32) - before) * mask[..., None]
        moved = cv2.warpAffine(difference, back, (w, h), flags=cv2.INTER_CUBIC)
        weight = cv2.warpAffine(mask, back, (w, h), flags=cv2.INTER_LINEAR)
        touched = weight > 0
        result = start.astype(np.float32)
        result[touched] += moved[touched]
        return np.asarray(np.clip(np.round(result), 0, 255), np.uint8), np.asarray(weight, np.float32)


def face_masks(face: Face, size: tuple[int, int], config: TwoPassConfig) -> tuple[Mask, Mask]:
    """The face with a soft edge, and the ring around its outline: both (h, w) in [0, 1], in the base's pixels."""
    width = float(np.ptp(face.landmarks[:, 0]))
    oval = oval_mask(face, size)
    outer = _grown(oval, (config.growth + config.ring) * width)
    inner = _grown(oval, config.growth * width)
    kept = cv2.erode(inner, _disc(2 * config.ring * width))
    soft = max(0.6, 0.03 * width)
    blurred = [cv2.GaussianBlur(mask, (0, 0), soft) for mask in (inner, outer - kept)]
    # Blurred outwards no farther than the outer mask, so that what lies beyond keeps every pixel.
    return np.asarray(blurred[0] * outer, np.float32), np.asarray(np.clip(blurred[1], 0, 1) * outer, np.float32)


def _grown(mask: Mask, radius: float) -> Mask:
    return np.asarray(cv2.dilate(mask, _disc(radius)), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def like_skin(painted: Image, face: Face, template: Image) -> Image:
    """The painted face in the tone of the template's skin; lips and eyes keep their own."""
    size = painted.shape[:2]
    skin = skin_mask(face, size)
    lab = to_lab(painted)
    matched = match_skin(lab, skin_tone(lab, skin), skin_tone(to_lab(template), skin))
    own = np.clip(lips_mask(face, size) + eyes_mask(face, size), 0, 1)[..., None]
    result = own * lab + (1 - own) * matched
    return np.asarray(np.round(from_lab(np.asarray(result, np.float32)) * 255), np.uint8)


def mixed(one: Image, other: Image, share: float) -> Image:
    """`share` of the other picture in the one."""
    return np.asarray(np.round((1 - share) * one.astype(np.float32) + share * other), np.uint8)


def as_picture(image: Image) -> Any:
    """As diffusers takes it."""
    from PIL import Image as Pillow

    return Pillow.fromarray(image)
