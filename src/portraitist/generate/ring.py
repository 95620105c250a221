"""The ring pass alone: around a face that was put into a drawn portrait, the base paints again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portraitist.diffusion.painters import Painter
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.frame import Frame, face_masks
from portraitist.generate.template import paint_ring
from portraitist.types import Face, Image


@dataclass(frozen=True, eq=False)
class RingPass:
    """painter: the ring's, on the networks that drew. side: pixels of the base's pictures. left_out: a sentence on each
    control that is missing. digests: of the controls, as recipes name them."""

    painter: Painter
    config: TwoPassConfig
    side: int
    left_out: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, image: Image, face: Face, prompt: str, *, seed: int) -> Image:
        """The picture with the ring around the face painted anew; beyond it no pixel changes. face: in its pixels."""
        if self.config.ring_strength == 0:
            return image
        frame = Frame.around(image, face, self.side)
        _, ring = face_masks(frame.face, (self.side, self.side), self.config)
        painted = paint_ring(self.painter, frame, ring, prompt, self.config, seed)
        return frame.carry_back(image, painted, ring)[0]
