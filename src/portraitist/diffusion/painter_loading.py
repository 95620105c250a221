"""The painters of a base: its networks once, with the controls of each of the two passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist.diffusion import portrait_mini
from portraitist.diffusion.base_loading import load_base, place, suggest_preset
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases_files import fetch_base
from portraitist.diffusion.controls import place_controls, read_control
from portraitist.diffusion.painters import ControlPainter, DifferencePainter, InpaintPainter, Painter
from portraitist.diffusion.samplers import space_levels
from portraitist.errors import ConfigError
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent

FACE_KINDS, RING_KINDS = ("canny", "colour", "pose"), ("canny", "tile")
"""Controls of the two passes."""
MINI_FACE_KINDS, MINI_RING_KINDS = ("mesh", "canny"), ("canny",)
"""portrait-mini's. The start image and the colour transfer stand in for colour and tile."""
_NO_CONTROLS = "controls: none on {}; the start image stands in"


@dataclass(frozen=True)
class Painters:
    """face, ring: who paints the passes. pipeline: the one to lay LoRAs on, whose networks both share. left_out: a
    sentence on every control that is missing."""

    face: Painter
    ring: Painter
    pipeline: Any
    left_out: tuple[str, ...] = ()


def load_painters(
    base: Base,
    placement: Placement = Placement(),
    *,
    guidance_scale: float | None = None,
    own: Mapping[str, Path | None] | None = None,
    library: Library | None = None,
    report: Report = silent,
) -> Painters:
    """The base's painters on the placement's device. guidance_scale: None takes the base's. own: ControlNets by kind,
    see `controls.parse_controls`.

    Raises as `base_loading.load_base` does, WeightsError when a control cannot be had, ConfigError for controls on a
    base that takes none.
    """
    takes_controls = base.pipelines.control_image is not None
    if own and (not takes_controls or base.family == "mini"):
        raise ConfigError(f"controls: base '{base.name}' takes no other controls than its own; leave out --controls")
    kind, preset = "image" if takes_controls else "inpaint", suggest_preset(base, placement)
    pipeline = load_base(base, kind, placement, preset=preset, library=library, report=report)
    return painters_on(base, pipeline, placement, guidance_scale=guidance_scale, own=own, report=report)


def painters_on(
    base: Base,
    pipeline: Any,
    placement: Placement = Placement(),
    *,
    guidance_scale: float | None = None,
    own: Mapping[str, Path | None] | None = None,
    report: Report = silent,
) -> Painters:
    """Painters on the networks of a pipeline that is loaded, with the adapters that lie on them. pipeline: of any kind
    where the base takes controls, else for inpainting. The rest as in `load_painters`."""
    preset, own, painted_steps = suggest_preset(base, placement), own or {}, base.sampling.painted_steps
    guidance = base.sampling.guidance_scale if guidance_scale is None else guidance_scale
    if base.pipelines.control_image is None:
        painter = InpaintPainter(pipeline, guidance, painted_steps)
        return Painters(painter, painter, pipeline, (_NO_CONTROLS.format(base.name),))
    face, ring = (MINI_FACE_KINDS, MINI_RING_KINDS) if base.family == "mini" else (FACE_KINDS, RING_KINDS)
    networks, left_out = load_networks(base, pipeline, tuple(dict.fromkeys(face + ring)), own, report)
    made = []
    for kinds in (face, ring):
        here = tuple(kind for kind in kinds if kind in networks)
        steered = steer(base, pipeline, [networks[kind] for kind in here])
        made.append(ControlPainter(place(steered, preset, placement), guidance, here, painted_steps))
    first: Painter = DifferencePainter(made[0]) if base.sampling.paints_difference else made[0]
    return Painters(first, made[1], pipeline, left_out)


def load_ring_painter(
    base: Base,
    pipeline: Any,
    placement: Placement = Placement(),
    *,
    guidance_scale: float | None = None,
    own: Mapping[str, Path | None] | None = None,
    report: Report = silent,
) -> tuple[Painter, tuple[str, ...]]:
    """The ring's painter on the networks of another pipeline of the base, whatever LoRAs lie on them, and a sentence on
    each control that is missing. Raises as `load_painters` does."""
    guidance = base.sampling.guidance_scale if guidance_scale is None else guidance_scale
    preset, painted_steps = suggest_preset(base, placement), base.sampling.painted_steps
    if base.pipelines.control_image is None:
        inpaint = place(on_networks(base, "inpaint", pipeline), preset, placement)
        return InpaintPainter(inpaint, guidance, painted_steps), (_NO_CONTROLS.format(base.name),)
    kinds = MINI_RING_KINDS if base.family == "mini" else RING_KINDS
    networks, left_out = load_networks(base, pipeline, kinds, own or {}, report)
    here = tuple(kind for kind in kinds if kind in networks)
    plain = on_networks(base, "image", pipeline)
    steered = place(steer(base, plain, [networks[kind] for kind in here]), preset, placement)
    return ControlPainter(steered, guidance, here, painted_steps), left_out


def on_networks(base: Base, kind: str, pipeline: Any, **more: Any) -> Any:
    """A pipeline of a kind on the networks of another, without its ControlNet."""
    import diffusers

    parts = {name: part for name, part in pipeline.components.items() if name != "controlnet"}
    settings: dict[str, Any] = {"add_watermarker": False} if base.family == "sdxl" else {}
    if "safety_checker" in parts:
        settings = {"requires_safety_checker": False}
    if "is_distilled" in pipeline.config:
        settings = {"is_distilled": pipeline.config.is_distilled}
    made = getattr(diffusers, base.pipeline_class(kind))(**parts, **settings, **more)
    made.set_progress_bar_config(disable=True)
    space_levels(made, kind)
    return made


def steer(base: Base, pipeline: Any, networks: Sequence[Any], kind: str = "control_image") -> Any:
    """A pipeline of a kind under ControlNets, on the networks of another; that one itself without any."""
    if not networks:
        return pipeline
    import diffusers

    control = networks[0] if len(networks) == 1 else diffusers.MultiControlNetModel(list(networks))
    return on_networks(base, kind, pipeline, controlnet=control)


def load_networks(
    base: Base, pipeline: Any, kinds: Sequence[str], own: Mapping[str, Path | None], report: Report
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The ControlNet of each kind that can be had, and a sentence on each of the others. pipeline: whose precision they
    take. own: see `controls.parse_controls`."""
    if base.family == "mini":
        folder = fetch_base(base, report)
        return {kind: portrait_mini.read_control(folder, kind) for kind in kinds}, ()
    places, left_out = place_controls(base, kinds, own, report)
    return {kind: read_control(folder, pipeline.unet.dtype) for kind, folder in places.items()}, left_out
