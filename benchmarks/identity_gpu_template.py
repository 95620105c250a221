"""A two-pass portrait for the GPU benchmark: a made-up face in a template of noise, under controls of the real size.

What is painted is noise too, so no photo and no face network is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from diffusers import ControlNetModel

from portraitist.diffusion.base_row import Base
from portraitist.diffusion.painter_loading import FACE_KINDS, RING_KINDS, steer
from portraitist.diffusion.painters import ControlPainter, Painter
from portraitist.faces.topology import mean_face
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.template import TemplateEngine, TemplateOrder
from portraitist.geometry import bounding_box
from portraitist.types import Face, Portrait, Pose

FACE_SHARE = 0.3
"""Width of the face over the template's."""


def portrait_of_noise(painters: tuple[Painter, Painter], side: int, template_side: int) -> Callable[[], Portrait]:
    """Makes one portrait in a square template. side: pixels of the base's pictures."""
    noise = np.random.default_rng(0).integers(0, 256, (template_side, template_side, 3), np.uint8)
    engine = TemplateEngine(*painters, TwoPassConfig(), side)
    order = TemplateOrder(Portrait(noise, ()), [mean_face_at(template_side)], noise, "portrait, sitter")
    return lambda: engine(order, seed=0)


def mean_face_at(side: int) -> Face:
    """The mean face, frontal, in the middle of a square picture."""
    points = mean_face()
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    # The mean face is in millimetres with y as pictures have it.
    landmarks = centred * FACE_SHARE * side / np.ptp(points[:, 0]) + [side / 2, side / 2, 0]
    landmarks = landmarks.astype(np.float32)
    return Face(bounding_box(landmarks), landmarks, 1.0, 1.0, Pose(0, 0, 0))


def real_painters(base: Base, pipeline: Any) -> tuple[Painter, Painter]:
    """Both passes on the pipeline's networks, with a ControlNet of its size for each kind."""
    unet = pipeline.unet
    networks = {
        kind: ControlNetModel.from_unet(unet, load_weights_from_unet=False).to(unet.device, unet.dtype)
        for kind in dict.fromkeys(FACE_KINDS + RING_KINDS)
    }
    face, ring = (
        ControlPainter(steer(base, pipeline, [networks[kind] for kind in some]), base.sampling.guidance_scale, some)
        for some in (FACE_KINDS, RING_KINDS)
    )
    return face, ring
