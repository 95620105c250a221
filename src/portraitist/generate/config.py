"""How portraits are drawn. What a base does by default is written in the table of bases; None here means that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from portraitist.options import check, option

RING_DENOISE = 0.30
"""How far the ring around a face is painted anew, by bases that have no other setting."""


@dataclass(frozen=True)
class DrawConfig:
    """Drawing portraits from words."""

    num_steps: int | None = option(None, "steps of the sampler; none: the style's or the base's", low=1, high=200)
    guidance_scale: float | None = option(
        None, "how closely the words are followed; none: the style's or the base's", low=0, high=30
    )
    identity_weight: float = option(1.0, "weight of the sitter's LoRA", low=0, high=2)
    batch: int = option(8, "portraits drawn together", unit="portraits", low=1, high=64)
    pose_strength: float = option(1.0, "strength of the control, with a pose", low=0, high=2)
    few_steps: bool = option(False, "draw by the base's setting of few steps: faster, less fine")
    few_steps_lora: str | None = option(None, "a LoRA file that makes the base draw in few steps: sd15, sdxl, z-image")
    few_steps_sampler: str = option("lcm", "the sampler that LoRA was made for", choices=("lcm", "euler-trailing"))
    face_fusion: float = option(
        0.8, "share of the sitter's own face, from the photo that suits the pose, in the drawn one", low=0, high=1
    )
    ring_pass: bool = option(True, "paint the ring around that face again, so that it sits in the picture")
    least_side: int = option(
        512, "portraits smaller than this are enlarged before the face goes in", unit="px", low=64, high=4096
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class TwoPassConfig:
    """Painting a sitter's face inside a template: the face from compose's portrait, then the ring around it."""

    face_denoise: float = option(0.45, "how far the face is painted anew", low=0, high=1)
    face_steps: int = option(50, "steps of the whole schedule in the first pass", low=1, high=200)
    face_mesh: float = option(0.5, "strength of the mesh control in the first pass", low=0, high=2)
    face_canny: float = option(0.5, "strength of the edge control in the first pass", low=0, high=2)
    face_colour: float = option(0.85, "strength of the colour grid control in the first pass", low=0, high=2)
    face_pose: float = option(0.5, "strength of the face point control in the first pass", low=0, high=2)
    ring_denoise: float | None = option(
        None, "how far the ring is painted anew; 0 leaves it out, none: 0.30, or the base's", low=0, high=1
    )
    ring_steps: int = option(20, "steps of the whole schedule in the second pass", low=1, high=200)
    ring_canny: float = option(1.0, "strength of the edge control in the second pass", low=0, high=2)
    ring_tile: float = option(1.0, "strength of the tile control in the second pass", low=0, high=2)
    background_denoise: float = option(
        0.0, "how far what is neither person nor face is painted anew; 0 leaves it out", low=0, high=1
    )
    growth: float = option(0.12, "face mask beyond the mesh, in face widths: ears and jaw edge", low=0, high=0.5)
    ring: float = option(0.05, "half the ring's width, in face widths", low=0.01, high=0.5)
    fusion: float = option(0.5, "share of compose's face mixed in between the passes", low=0, high=1)
    guidance_scale: float | None = option(None, "how closely the words are followed; none: the base's", low=0, high=30)
    controls: tuple[str, ...] = option((), "ControlNets of your own: canny=FOLDER; canny=none leaves it out")

    def __post_init__(self) -> None:
        check(self)

    @property
    def ring_strength(self) -> float:
        """How far the ring is painted anew."""
        return RING_DENOISE if self.ring_denoise is None else self.ring_denoise

    def for_base(self, ring_denoise: float | None) -> TwoPassConfig:
        """With the base's own ring strength, where it has one and none was asked for."""
        return self if self.ring_denoise is not None else replace(self, ring_denoise=ring_denoise)
