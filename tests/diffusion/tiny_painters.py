"""Painters of every base on tiny random weights, with all the controls of their family: `tiny_painters("sdxl")`."""

from __future__ import annotations

from typing import Any

import diffusers
import torch
from diffusers import ControlNetModel

from portraitist.diffusion.bases import BASES as ROWS
from portraitist.diffusion.painter_loading import FACE_KINDS, MINI_FACE_KINDS, MINI_RING_KINDS, RING_KINDS, steer
from portraitist.diffusion.painters import ControlPainter, InpaintPainter, Painter
from recipes.mini.config import TINY
from recipes.mini.controls import build_control
from tests.diffusion.tiny_bases import CALL, tiny_pipeline

BASES = ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image")
CONDITION_CHANNELS = (8, 16)
"""Two levels: the tiny autoencoders halve a picture, the real ones take an eighth."""


def tiny_painters(name: str) -> tuple[Painter, Painter]:
    """The face's and the ring's."""
    base, plain, guidance = ROWS[name], tiny_pipeline(name), 2.0
    if base.pipelines.control_image is None:
        pipeline = getattr(diffusers, base.pipeline_class("inpaint"))(**plain.components)
        pipeline.set_progress_bar_config(disable=True)
        painter = InpaintPainter(pipeline, guidance, base.sampling.painted_steps, CALL.get(name, {}))
        return painter, painter
    kinds = (MINI_FACE_KINDS, MINI_RING_KINDS) if name == "mini" else (FACE_KINDS, RING_KINDS)
    networks = {kind: tiny_control(name, plain) for kind in dict.fromkeys(kinds[0] + kinds[1])}
    face, ring = (ControlPainter(steer(base, plain, [networks[k] for k in ks]), guidance, ks) for ks in kinds)
    return face, ring


def tiny_control(name: str, plain: Any) -> Any:
    """A ControlNet for the tiny base, its last layers not zero, so that it says something."""
    torch.manual_seed(1)
    network = build_control(TINY) if name == "mini" else _control_of(plain.unet)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return network.eval()


def _control_of(unet: Any) -> Any:
    return ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=CONDITION_CHANNELS, load_weights_from_unet=False
    )
