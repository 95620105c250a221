"""`shoot --pose`: the pose asked for, by name or by a photo, as what the base is steered by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.diffusion.conditions import draw_mesh
from portraitist.errors import EngineError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.generate.posed_mesh import nearest_reference, posed_mesh
from portraitist.generate.poses import HeadPose, find_pose, pose_of
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.provenance import Input
from portraitist.styles.style import Style
from portraitist.types import Face, Image, Pixels, Reference

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextEngine


@dataclass(frozen=True, eq=False)
class Posing:
    """pose: what was asked for. reference: the sitter's photo that the shape of the head comes from. picture: the
    condition. inputs: the photo that showed the pose, if one did."""

    pose: HeadPose
    reference: Reference
    picture: Image
    strength: float
    inputs: tuple[Input, ...] = ()

    @classmethod
    def of(cls, asked: str, strength: float, references: Sequence[Reference], base: Base, reader: FaceReader) -> Posing:
        """asked: a pose's name, or a photo of anybody. references: photos of the sitter.

        Raises InputError for a photo without a face, ConfigError for an unknown name, EngineError for a base that
        cannot be steered by a mesh.
        """
        if base.family != "mini":
            raise EngineError(
                f"--pose: expected base 'mini', found '{base.name}', whose pose control is not wired yet; "
                "use --base mini, or say the pose in --prompt"
            )
        pose, inputs = _asked(asked, reader)
        reference = nearest_reference(references, pose.angles)
        mesh = posed_mesh(reference.face.landmarks, pose, base.resolution)
        return cls(pose, reference, draw_mesh(mesh, (base.resolution, base.resolution)), strength, inputs)

    def said_in(self, style: Style) -> Style:
        """The style with the pose's words in place of its own; its expression too, where the pose has one."""
        words = {"pose": self.pose.head_words(), "expression": self.pose.expression_words()}
        return replace(style, prompt=replace(style.prompt, **{part: text for part, text in words.items() if text}))

    def steer(
        self,
        engine: TextEngine,
        base: Base,
        placement: Placement,
        *,
        library: Library | None = None,
        report: Report = silent,
    ) -> TextEngine:
        """The engine on the same networks, LoRAs and all, under the control."""
        import diffusers

        from portraitist.diffusion.base_loading import load_base

        control = load_base(base, "control", placement, control="mesh", library=library, report=report).controlnet
        parts = engine.pipeline.components
        steered = getattr(diffusers, base.pipeline_class("control"))(
            **parts, controlnet=control, requires_safety_checker=False
        )
        steered.set_progress_bar_config(disable=True)
        return replace(engine, pipeline=steered, options={**engine.options, **self.options()})

    def options(self) -> dict[str, Any]:
        """What the pipeline's call is told of the pose."""
        from PIL import Image as Pillow

        return {"image": Pillow.fromarray(self.picture), "controlnet_conditioning_scale": self.strength}

    @property
    def digest(self) -> str:
        """sha256 of the condition: it says all of the pose and of the sitter's shape that the base is told."""
        return Pixels(self.picture).digest

    def facts(self) -> dict[str, Any]:
        """What a recipe keeps."""
        return {**to_mapping(self.pose), "reference": self.reference.picture.digest}

    def measured(self, face: Face | None) -> dict[str, Any]:
        """The pose of the face that was drawn, and how far each angle is from the pose asked for, in degrees."""
        if face is None:
            return {"found": None, "error": None}
        pairs = {part: (getattr(face.pose, part), getattr(self.pose, part)) for part in ("yaw", "pitch", "roll")}
        return {
            "found": {part: round(found, 1) for part, (found, _) in pairs.items()},
            "error": {part: round(abs(found - wanted), 1) for part, (found, wanted) in pairs.items()},
        }


def largest_face(image: Image, reader: FaceReader) -> Face | None:
    """The largest face of a picture, without its descriptor."""
    return max(reader.read(image, embed=False), key=lambda face: face.width, default=None)


def _asked(asked: str, reader: FaceReader) -> tuple[HeadPose, tuple[Input, ...]]:
    path = Path(asked).expanduser()
    if not path.is_file():
        return find_pose(asked), ()
    photo = open_photo(path)
    face = largest_face(photo.pixels(1024), reader)
    if face is None:
        raise InputError(f"{path.name}: expected a face whose pose to take, found none; choose another photo")
    return pose_of(face, path.name), (Input("pose", photo.digest, str(path.resolve())),)
