"""`shoot --pose`: the pose asked for, by name or by a photo, as what the base is steered by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from portraitist.diffusion.conditions import draw_face_points, draw_mesh
from portraitist.diffusion.controls import control_digest, find_control
from portraitist.errors import EngineError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.generate.posed_mesh import nearest_reference, posed_mesh
from portraitist.generate.poses import HeadPose, find_pose, pose_of
from portraitist.image import open_photo
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.provenance import Input
from portraitist.styles.style import Style
from portraitist.types import Face, Image, Pixels, Points, Reference

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextEngine

FARTHER = 0.6
"""Size of the head on hub bases, over that in portrait-mini's framing; the face's middle is at 0.4 of the height."""


@dataclass(frozen=True, eq=False)
class Posing:
    """pose: what was asked for. reference: the sitter's photo that the shape of the head comes from. picture: the
    condition. kind: of the control it is for. inputs: the photo that showed the pose, if one did."""

    pose: HeadPose
    reference: Reference
    picture: Image
    strength: float
    kind: str
    inputs: tuple[Input, ...] = ()

    @classmethod
    def of(
        cls,
        asked: str,
        strength: float,
        references: Sequence[Reference],
        base: Base,
        reader: FaceReader,
        phrases: Sequence[str] = (),
    ) -> Posing:
        """asked: a pose's name, or a photo of anybody. references: photos of the sitter. phrases: of the prompt; what
        they say of the expression counts where the pose says nothing.

        Raises InputError for a photo without a face, ConfigError for an unknown name, EngineError for a base without a
        control for poses.
        """
        kind = control_of(base)
        pose, inputs = _asked(asked, reader)
        pose = pose.told_by(phrases)
        reference = nearest_reference(references, pose.angles)
        side = base.resolution
        mesh = posed_mesh(reference.face.landmarks, pose, side)
        if kind == "mesh":
            picture = draw_mesh(mesh, (side, side))
        else:
            picture = draw_face_points(_farther(mesh, side), (side, side))
        return cls(pose, reference, picture, strength, kind, inputs)

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
        report: Report = silent,
    ) -> TextEngine:
        """The engine on the same networks, LoRAs and all, under the control. Raises WeightsError when that cannot be
        had."""
        from portraitist.diffusion.base_loading import place, suggest_preset
        from portraitist.diffusion.painter_loading import load_networks, steer

        networks, _ = load_networks(base, engine.pipeline, (self.kind,), {}, report)
        steered = steer(base, engine.pipeline, list(networks.values()), "control")
        steered = place(steered, suggest_preset(base, placement), placement)
        return replace(engine, pipeline=steered, options={**engine.options, **self.options()})

    def options(self) -> dict[str, Any]:
        """What the pipeline's call is told of the pose."""
        from PIL import Image as Pillow

        return {"image": Pillow.fromarray(self.picture), "controlnet_conditioning_scale": self.strength}

    def digests(self, base: Base) -> dict[str, str]:
        """sha256 of the condition, which says all of the pose and of the sitter's shape that the base is told, and of
        the control where it does not belong to the base."""
        control = control_digest(self.kind, base.family)
        return {"pose": Pixels(self.picture).digest, **({f"control {self.kind}": control} if control else {})}

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


def control_of(base: Base) -> str:
    """The control that poses a head on the base: `mesh` on portrait-mini, `pose` elsewhere. Raises EngineError."""
    if base.family == "mini":
        return "mesh"
    if base.pipelines.control is None or find_control("pose", base.family) is None:
        raise EngineError(
            f"--pose: expected a base with a ControlNet for poses, found '{base.name}', for which none is known; "
            "use mini, sd15 or sdxl, or say the pose in --prompt"
        )
    return "pose"


def _farther(mesh: Points, side: int) -> Points:
    """The framed mesh smaller and higher: the words of hub styles want clothes and a place in the picture too."""
    scaled = mesh * np.float32(FARTHER)
    scaled[:, :2] += np.array([0.5 - 0.5 * FARTHER, 0.40 - 0.62 * FARTHER], np.float32) * side
    return np.asarray(scaled, np.float32)


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
