"""`shoot --engine lora`: compose's portrait painted once more, face by face, by each sitter's identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from portraitist.faces.choose import best_frontal, lay_on
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.scenes.values import TemplateScene
from portraitist.tasks.sitting import Cast, Sitting
from portraitist.types import Face, Image, Mask, Portrait, derive

if TYPE_CHECKING:
    from portraitist.generate.template import TemplateEngine
    from portraitist.identity.record import IdentityRecord

PROMPT = "portrait, {trigger}"
BACKGROUND_PROMPT = "photograph of a place, nobody in it"
_MARGIN = 0.15
"""How far the background stays away from people, in face widths: hair and shoulders the segmentation misses."""


@dataclass
class Repainter:
    """Paints over compose's portraits. records: what was learned of each sitter, by name; installed under that name's
    number, as adapters want plain words. pipeline: what they are laid on. left_out: a sentence on each control that
    is missing."""

    engine: TemplateEngine
    records: Mapping[str, IdentityRecord]
    reader: FaceReader
    pipeline: Any
    left_out: tuple[str, ...] = ()

    @classmethod
    def load(
        cls,
        library: Library,
        names: Sequence[str],
        base_name: str,
        config: TwoPassConfig,
        placement: Placement,
        report: Report = silent,
    ) -> Repainter:
        """The base with every sitter's LoRA on it. Raises InputError when a sitter has no identity on it."""
        from portraitist.diffusion.bases import find_base
        from portraitist.diffusion.controls import parse_controls
        from portraitist.diffusion.lora_adapters import install
        from portraitist.diffusion.lora_formats import read_lora
        from portraitist.diffusion.painter_loading import load_painters
        from portraitist.generate.template import TemplateEngine
        from portraitist.identity.record import WEIGHTS
        from portraitist.tasks.draw_loading import identity_of

        base, own = find_base(base_name), parse_controls(config.controls)
        config = config.for_base(base.sampling.ring_denoise)
        folders = {name: library.sitter(name).identities_dir / base.name for name in names}
        records = {name: identity_of(folder, name, base) for name, folder in folders.items()}
        guidance = config.guidance_scale
        painters = load_painters(base, placement, guidance_scale=guidance, own=own, library=library, report=report)
        for number, name in enumerate(names):
            install(painters.pipeline, read_lora(folders[name] / WEIGHTS), adapter(number))
        engine = TemplateEngine(painters.face, painters.ring, config, base.resolution, report)
        return cls(engine, records, FaceReader.load(placement), painters.pipeline, painters.left_out)

    def __call__(self, portrait: Portrait, sitting: Sitting, seed: int) -> Portrait:
        """Every slot's face painted by its sitter's LoRA, the others switched off meanwhile; then the background."""
        assert isinstance(sitting.scene, TemplateScene)
        template = sitting.scene.picture.pixels()
        found = self.reader.read(portrait.image, embed=False)
        for slot in sitting.scene.slots:
            if slot.number in sitting.cast:
                face = nearest(found, slot.face)
                portrait = self._one(portrait, face, sitting.cast[slot.number], template, seed + slot.number)
        if self.engine.config.background_denoise > 0:
            portrait = self._background(portrait, [*found, *(slot.face for slot in sitting.scene.slots)], seed)
        said = [*portrait.details.get("warnings", ()), *self.left_out]
        return replace(portrait, details={**portrait.details, "warnings": said})

    def _one(self, portrait: Portrait, face: Face | None, cast: Cast, template: Image, seed: int) -> Portrait:
        from portraitist.diffusion.lora_adapters import set_weights
        from portraitist.generate.template import TemplateOrder

        if face is None:
            warning = f"{cast.name}: no face was found again where compose had put it; it was not painted over"
            said = [*portrait.details.get("warnings", ()), warning]
            return replace(portrait, details={**portrait.details, "warnings": said})
        record = self.records[cast.name]
        set_weights(self.pipeline, {adapter(list(self.records).index(cast.name)): 1.0})
        prompt = PROMPT.format(trigger=record.trigger)
        pasted = [lay_on(face, best_frontal(cast.chosen))]
        order = TemplateOrder(portrait, [face], template, prompt, record.sources, pasted)
        return self.engine(order, seed=seed)

    def _background(self, portrait: Portrait, faces: Sequence[Face], seed: int) -> Portrait:
        """By the bare base: no sitter belongs there."""
        from portraitist.diffusion.lora_adapters import set_weights

        set_weights(self.pipeline, {})
        return self.engine.background(
            portrait, everyone(portrait.image, faces), BACKGROUND_PROMPT, seed=derive(seed, 0)
        )


def everyone(image: Image, faces: Sequence[Face]) -> Mask:
    """(h, w) 1 on every person and face and a margin around them, 0 elsewhere."""
    import cv2

    from portraitist.faces.regions import oval_mask
    from portraitist.retouch.person import default_segmenter

    people = np.zeros(image.shape[:2], np.float32)
    for face in faces:
        seen = np.maximum(default_segmenter()(image, face) > 0.2, oval_mask(face, image.shape[:2]) > 0)
        reach = max(1, round(_MARGIN * face.width))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        people = np.maximum(people, cv2.dilate(seen.astype(np.float32), disc))
    return np.asarray(people, np.float32)


def adapter(number: int) -> str:
    """Name under which a sitter's LoRA is installed."""
    return f"sitter{number}"


def nearest(faces: Sequence[Face], wanted: Face) -> Face | None:
    """The face over the slot, None where none is within its width."""
    away = [float(np.linalg.norm(face.centre - wanted.centre)) for face in faces]
    if not away or min(away) > wanted.width:
        return None
    return faces[int(np.argmin(away))]
