"""Samplers by the names styles use, put on a pipeline that can take them."""

from __future__ import annotations

from typing import Any

from portraitist.errors import ConfigError

_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    # With diffusers' default the last step would leave noise in the picture.
    "ddim": ("DDIMScheduler", {"set_alpha_to_one": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "dpmpp-2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp-2m-karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpmpp-sde-karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    # For LoRAs that draw in few steps: consistency models (Luo et al. 2023), and those distilled step by step, which
    # expect the first step at the schedule's very end (Lin et al. 2024, SDXL-Lightning).
    "lcm": ("LCMScheduler", {}),
    "euler-trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
}


def set_sampler(pipeline: Any, name: str) -> bool:
    """Put the sampler on the pipeline; False, and nothing done, for `base` and for bases that draw by a flow.

    Raises ConfigError for an unknown name.
    """
    if name != "base" and name not in _CLASSES:
        raise ConfigError(f"sampler {name!r}: expected base or one of {', '.join(_CLASSES)}")
    if name == "base" or not hasattr(pipeline.scheduler, "alphas_cumprod") or is_flow(pipeline):
        return False
    import diffusers

    class_name, options = _CLASSES[name]
    pipeline.scheduler = getattr(diffusers, class_name).from_config(pipeline.scheduler.config, **options)
    return True


def space_levels(pipeline: Any, kind: str) -> None:
    """On portrait-mini, the noise levels that a kind of pipeline draws best by: shifted from words, even over a
    picture, where `strength` then says how much noise it begins with. Nothing on the others."""
    if is_flow(pipeline):
        from portraitist.diffusion.flow import SHIFT, flow_scheduler

        pipeline.scheduler = flow_scheduler(1.0 if "image" in kind else SHIFT)


def is_flow(pipeline: Any) -> bool:
    """True for portrait-mini, whose scheduler has a table of alphas but walks a flow."""
    return bool(pipeline.scheduler.config.get("use_flow_sigmas", False))
