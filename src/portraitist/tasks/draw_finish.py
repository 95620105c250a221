"""A drawn portrait made complete: the sitter's own face goes into it, and the ring around the face is painted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from portraitist.compose.engine import ComposeEngine, ComposeItem
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.retouch.upscale import Upscaler
from portraitist.scenes.values import Slot, TemplateScene
from portraitist.tasks.sitting import Cast, Sitting
from portraitist.tasks.stage_clock import StageClock
from portraitist.types import Image, Pixels, Portrait, derive

if TYPE_CHECKING:
    from portraitist.generate.ring import RingPass
    from portraitist.tasks.commission import Commission
    from portraitist.tasks.draw_loading import Drawer
    from portraitist.tasks.repaint import Repainter

NO_FACE = "no face was found in the drawn portrait, so it stays as it was drawn: without the sitter's own face"


@dataclass(frozen=True, eq=False)
class FaceFusion:
    """Puts the sitter's face, from the album photo that suits the drawn face, into a drawn portrait.

    share: of that face in the mixture. upscaler: enlarges portraits below `least_side` pixels first; None leaves them.
    ring: paints around the face, None leaves it out. repainter: paints the sitter's face over instead, in a scene that
    was drawn for it.
    """

    cast: Cast
    share: float
    engine: ComposeEngine
    reader: FaceReader
    upscaler: Upscaler | None = None
    least_side: int = 0
    ring: RingPass | None = None
    repainter: Repainter | None = None

    def __call__(self, portrait: Portrait, clock: StageClock, *, seed: int) -> Portrait:
        """The portrait with the sitter's face. Where none is found it is the same, with a warning in its details."""
        with clock("enlarge"):
            image, scale = self._enlarged(portrait.image)
        with clock("fusion"):
            scene = self._scene(image)
            if scene is None:
                return noted(portrait, NO_FACE)
            composed = next(iter(self.engine(ComposeItem(scene, {1: self.cast.chosen}), seed=seed)))
        facts = {"scale": scale, "share": self.share, "slots": composed.details["slots"]}
        sources = tuple(dict.fromkeys((*composed.sources, *portrait.sources)))
        details = {**portrait.details, "fusion": facts}
        fused = Portrait(self._mixed(image, composed.image), sources, details=details)
        fused = noted(fused, *composed.details["warnings"])
        if self.repainter is not None:
            return self._repainted(fused, scene, clock, seed)
        return fused if self.ring is None else self._ringed(fused, clock, seed)

    def digests(self) -> dict[str, str]:
        """Of the ring's controls that were downloaded."""
        return {} if self.ring is None else dict(self.ring.digests)

    def _enlarged(self, image: Image) -> tuple[Image, int]:
        """Two or four times, so that the face going in is not held to the few pixels a small base draws."""
        scale = next((s for s in (1, 2, 4) if s * min(image.shape[:2]) >= self.least_side), 4)
        if self.upscaler is None or scale == 1:
            return image, 1
        return self.upscaler(image, scale), scale

    def _scene(self, image: Image) -> TemplateScene | None:
        faces = self.reader.read(image, embed=False)
        if not faces:
            return None
        return TemplateScene(Pixels(image), (Slot(1, max(faces, key=lambda face: face.width)),))

    def _mixed(self, drawn: Image, composed: Image) -> Image:
        from portraitist.generate.template import mixed

        return composed if self.share == 1 else mixed(drawn, composed, self.share)

    def _ringed(self, portrait: Portrait, clock: StageClock, seed: int) -> Portrait:
        assert self.ring is not None
        with clock("ring"):
            faces = self.reader.read(portrait.image, embed=False)
            if not faces:
                return noted(portrait, "no face was found again after face fusion; the ring was not painted")
            face = max(faces, key=lambda face: face.width)
            image = self.ring(portrait.image, face, str(portrait.details["prompt"]), seed=derive(seed, 1))
        facts = {"controls": list(self.ring.painter.kinds), "left_out": list(self.ring.left_out)}
        return replace(portrait, image=image, details={**portrait.details, "ring": facts})

    def _repainted(self, portrait: Portrait, scene: TemplateScene, clock: StageClock, seed: int) -> Portrait:
        assert self.repainter is not None
        with clock("paint"):
            return self.repainter(portrait, Sitting(scene, {1: self.cast}, "scene", ()), seed)


def load_fusion(asked: Commission, drawer: Drawer, reader: FaceReader) -> FaceFusion | None:
    """What puts the face in; None where nothing of it is asked for.

    A scene that was drawn first takes the face whole, as a template does, and has no ring of its own.
    """
    drawing, scene_first = asked.settings.drawing, asked.settings.draw.scene_first
    if not scene_first and drawing.face_fusion == 0:
        return None
    cpu = Placement("cpu", asked.placement.threads)
    engine = ComposeEngine(asked.settings.compose, cpu, asked.report)
    upscaler = Upscaler.load(placement=cpu, report=asked.report) if asked.base.resolution < drawing.least_side else None
    share = 1.0 if scene_first else drawing.face_fusion
    fusion = FaceFusion(asked.cast, share, engine, reader, upscaler, drawing.least_side)
    if not scene_first:
        return replace(fusion, ring=load_ring(asked, drawer) if drawing.ring_pass else None)
    return replace(fusion, repainter=_repainter(asked)) if asked.settings.draw.scene_engine == "lora" else fusion


def _repainter(asked: Commission) -> Repainter:
    from portraitist.tasks.repaint import Repainter

    names, painting = [asked.cast.name], asked.settings.painting
    return Repainter.load(asked.library, names, asked.settings.draw.base, painting, asked.placement, asked.report)


def load_ring(asked: Commission, drawer: Drawer) -> RingPass | None:
    """The base's second pass on the networks that drew, with their LoRAs; None where the base has it off."""
    from portraitist.diffusion.controls import control_digest, parse_controls
    from portraitist.diffusion.painter_loading import load_ring_painter
    from portraitist.generate.ring import RingPass

    painting = asked.settings.painting.for_base(asked.base.sampling.ring_denoise)
    if painting.ring_strength == 0:
        return None
    own = parse_controls(painting.controls)
    guidance, pipeline = painting.guidance_scale, drawer.engine.pipeline
    painter, left_out = load_ring_painter(
        asked.base, pipeline, asked.placement, guidance_scale=guidance, own=own, report=asked.report
    )
    kinds, family = [kind for kind in painter.kinds if kind not in own], asked.base.family
    digests = {f"control {kind}": digest for kind in kinds if (digest := control_digest(kind, family))}
    return RingPass(painter, painting, asked.base.resolution, left_out, digests)


def noted(portrait: Portrait, *sentences: str) -> Portrait:
    """The portrait with warnings in its details."""
    said: Mapping[str, Any] = portrait.details
    return replace(portrait, details={**said, "warnings": [*said.get("warnings", ()), *sentences]})
