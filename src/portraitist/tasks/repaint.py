"""`shoot --engine lora`: compose's portrait painted once more, face by face, by each sitter's identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.scenes.values import TemplateScene
from portraitist.tasks.sitting import Cast, Sitting
from portraitist.types import Face, Image, Portrait

if TYPE_CHECKING:
    from portraitist.generate.template import TemplateEngine
    from portraitist.identity.record import IdentityRecord

PROMPT = "portrait, {trigger}"


@dataclass
class Repainter:
    """Paints over compose's portraits. records: what was learned of each sitter, by name; installed under that name's
    number, as adapters want plain words."""

    engine: TemplateEngine
    records: Mapping[str, IdentityRecord]
    reader: FaceReader

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
        from portraitist.diffusion.lora_adapters import install
        from portraitist.diffusion.lora_formats import read_lora
        from portraitist.generate.template import TemplateEngine
        from portraitist.identity.record import WEIGHTS
        from portraitist.tasks.draw import identity_of

        base = find_base(base_name)
        if base.name != "mini":
            raise ConfigError(
                f"--engine lora: expected base 'mini', found '{base.name}', whose controls are not wired yet; "
                "use --base mini or --engine compose"
            )
        folders = {name: library.sitter(name).identities_dir / base.name for name in names}
        records = {name: identity_of(folder, name, base) for name, folder in folders.items()}
        face, ring = _pipelines(library, report)
        for number, name in enumerate(names):
            install(face, read_lora(folders[name] / WEIGHTS), adapter(number))
        engine = TemplateEngine(face, ring, config, base.resolution, base.sampling.guidance_scale, report)
        return cls(engine, records, FaceReader.load(placement))

    def __call__(self, portrait: Portrait, sitting: Sitting, seed: int) -> Portrait:
        """Every slot's face painted by its sitter's LoRA, the others switched off meanwhile."""
        assert isinstance(sitting.scene, TemplateScene)
        template = sitting.scene.picture.pixels()
        found = self.reader.read(portrait.image, embed=False)
        for slot in sitting.scene.slots:
            if slot.number in sitting.cast:
                face = nearest(found, slot.face)
                portrait = self._one(portrait, face, sitting.cast[slot.number], template, seed + slot.number)
        return portrait

    def _one(self, portrait: Portrait, face: Face | None, cast: Cast, template: Image, seed: int) -> Portrait:
        from portraitist.diffusion.lora_adapters import set_weights
        from portraitist.generate.template import TemplateOrder

        if face is None:
            warning = f"{cast.name}: no face was found again where compose had put it; it was not painted over"
            said = [*portrait.details.get("warnings", ()), warning]
            return replace(portrait, details={**portrait.details, "warnings": said})
        record = self.records[cast.name]
        set_weights(self.engine.face_pipeline, {adapter(list(self.records).index(cast.name)): 1.0})
        prompt = PROMPT.format(trigger=record.trigger)
        return self.engine(TemplateOrder(portrait, [face], template, prompt, record.sources), seed=seed)


def adapter(number: int) -> str:
    """Name under which a sitter's LoRA is installed."""
    return f"sitter{number}"


def nearest(faces: Sequence[Face], wanted: Face) -> Face | None:
    """The face over the slot, None where none is within its width."""
    away = [float(np.linalg.norm(face.centre - wanted.centre)) for face in faces]
    if not away or min(away) > wanted.width:
        return None
    return faces[int(np.argmin(away))]


def _pipelines(library: Library, report: Report) -> tuple[Any, Any]:
    """portrait-mini image to image under mesh and canny, and under canny alone, on the same networks."""
    from diffusers import MultiControlNetModel, StableDiffusionControlNetImg2ImgPipeline

    from portraitist.diffusion.portrait_mini import load_pipeline

    ring = load_pipeline("image", control="canny", library=library, report=report)
    mesh = load_pipeline("image", control="mesh", library=library, report=report).controlnet
    parts = {name: part for name, part in ring.components.items() if name != "controlnet"}
    both = MultiControlNetModel([mesh, ring.controlnet])
    face = StableDiffusionControlNetImg2ImgPipeline(**parts, controlnet=both, requires_safety_checker=False)
    face.set_progress_bar_config(disable=True)
    return face, ring
