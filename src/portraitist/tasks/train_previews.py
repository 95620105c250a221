"""The validation portraits of `train`: from words, and in two templates that every installation has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portraitist import registry
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.image import open_photo
from portraitist.placement import Placement
from portraitist.progress import silent
from portraitist.scenes.slots import find_slots
from portraitist.types import Picture, Pixels, Reference, derive

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.template import TemplateEngine, TemplateOrder
    from portraitist.generate.text import TextEngine
    from portraitist.identity.checks import ValidationPortrait
    from portraitist.identity.config import IdentityConfig
    from portraitist.identity.dataset import AlbumSplit

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
PAINTING = TwoPassConfig(fusion=0.0)
"""Of the portraits in templates: compose's own face is not mixed in, as it would hide what the LoRA does."""


@dataclass(frozen=True)
class Previews:
    """Draws all validation portraits with the pipeline as it is now. orders: what is painted in templates, whose
    start does not depend on the LoRA and is made once."""

    text: TextEngine
    template: TemplateEngine | None
    orders: Sequence[TemplateOrder]

    @classmethod
    def of(
        cls,
        pipeline: Any,
        base: Base,
        split: AlbumSplit,
        config: IdentityConfig,
        reader: FaceReader,
        placement: Placement,
    ) -> Previews:
        """For a pipeline with the adapters on it. Templates only where their likeness can be measured, and on mini,
        which paints one in a second."""
        from portraitist.generate.text import TextEngine

        text = TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale)
        if not (config.template_previews and split.choose and base.family == "mini"):
            return cls(text, None, ())
        orders = template_orders(split.train, reader, placement)
        return cls(text, template_engine(pipeline, base, placement), orders)

    def __call__(self) -> list[ValidationPortrait]:
        """Those from words, then those in templates; always of the same noise."""
        from portraitist.identity.checks import ValidationPortrait
        from portraitist.identity.trainee import with_trigger

        drawn = self.text.draw([with_trigger(text) for text in PROMPTS], "", SEED)
        made = [ValidationPortrait(image) for image in drawn]
        for number, order in enumerate(self.orders):
            assert self.template is not None
            portrait = self.template(order, seed=derive(SEED, number))
            made.append(ValidationPortrait(portrait.image, "template", portrait.sources))
        return made


def template_engine(pipeline: Any, base: Base, placement: Placement) -> TemplateEngine:
    """Two passes through the networks of the pipeline, adapters and all."""
    from portraitist.diffusion.painter_loading import painters_on
    from portraitist.generate.template import TemplateEngine

    painters = painters_on(base, pipeline, placement)
    painting = PAINTING.for_base(base.sampling.ring_denoise)
    return TemplateEngine(painters.face, painters.ring, painting, base.resolution)


def template_orders(photos: Sequence[Reference], reader: FaceReader, placement: Placement) -> list[TemplateOrder]:
    """compose's portrait in each template, with the photo learned from that suits it, and the face found in it again;
    a template without one is left out."""
    from portraitist.generate.template import TemplateOrder
    from portraitist.identity.trainee import with_trigger
    from portraitist.tasks.repaint import nearest

    # compose runs on the CPU wherever the base learns.
    engine = registry.build("shoot", "compose", ComposeConfig(), Placement(threads=placement.threads), silent)
    orders = []
    for picture in templates():
        scene = find_slots(picture, reader)
        slot = max(scene.slots, key=lambda slot: slot.face.width)
        start = next(iter(engine(ComposeItem(scene, {slot.number: photos}), seed=SEED)))
        face = nearest(reader.read(start.image, embed=False), slot.face)
        if face is not None:
            orders.append(TemplateOrder(start, [face], picture.pixels(), with_trigger("portrait")))
    return orders


def templates() -> tuple[Picture, ...]:
    """Two public-domain portraits that come with packages this one needs: fair, as no photo of the album is in them."""
    from portraitist.tasks.demo import collins, hopper_path

    return Pixels(collins()), open_photo(hopper_path())
