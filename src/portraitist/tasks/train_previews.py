"""The validation portraits of `train`, always of the same noise and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portraitist.generate.config import DrawConfig

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextEngine
    from portraitist.identity.checks import ValidationPortrait

PROMPTS = (
    "portrait",
    "portrait, facing the camera, smiling, light background",
    "portrait, serious, dark background",
    "portrait, turned left",
    "portrait, turned right, smiling",
    "portrait, close-up, mouth closed",
)
"""Captions of the portraits from words; the trigger is put in."""
SEED = 11


@dataclass(frozen=True)
class Previews:
    """Draws all validation portraits with the pipeline as it is now."""

    text: TextEngine

    @classmethod
    def of(cls, pipeline: Any, base: Base) -> Previews:
        """For a pipeline with the adapters on it."""
        from portraitist.generate.text import TextEngine

        return cls(TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale))

    def __call__(self) -> list[ValidationPortrait]:
        """One portrait a caption."""
        from portraitist.identity.checks import ValidationPortrait
        from portraitist.identity.trainee import with_trigger

        drawn = self.text.draw([with_trigger(text) for text in PROMPTS], "", SEED)
        return [ValidationPortrait(image) for image in drawn]
