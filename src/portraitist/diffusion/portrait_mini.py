"""portrait-mini as stock diffusers pipelines: text, image to image, and both under a control."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from portraitist.diffusion.captions import PHRASES, unknown_words, words
from portraitist.diffusion.quiet import quiet_libraries
from portraitist.diffusion.samplers import space_levels
from portraitist.errors import ConfigError, EngineError
from portraitist.library import Library
from portraitist.licences import require_accepted
from portraitist.progress import Report, silent
from portraitist.weights import fetch

NAME = "portrait-mini"
CONTROLS = ("mesh", "canny")
"""Conditions it has a ControlNet for; `conditions` draws them."""
KINDS = ("text", "image")
_PIPELINES = {
    ("text", False): "StableDiffusionPipeline",
    ("image", False): "StableDiffusionImg2ImgPipeline",
    ("text", True): "StableDiffusionControlNetPipeline",
    ("image", True): "StableDiffusionControlNetImg2ImgPipeline",
}


def load_pipeline(
    kind: str = "text", *, control: str | None = None, library: Library | None = None, report: Report = silent
) -> Any:
    """A diffusers pipeline on the CPU in float32, with its progress bar off.

    kind: "text" draws from words, "image" starts from a picture. control: one of CONTROLS, or None. library: whose
    acceptance of non-commercial weights counts; None is the default library.
    Raises ConfigError for another kind or control, EngineError without the extra `diffusion`, WeightsError when the
    weights are not accepted or cannot be had.
    """
    if kind not in KINDS:
        raise ConfigError(f"kind: expected one of {', '.join(KINDS)}, found {kind!r}")
    if control is not None and control not in CONTROLS:
        raise ConfigError(f"control: expected one of {', '.join(CONTROLS)} or none, found {control!r}")
    require_accepted(library or Library(), NAME)
    diffusers = _diffusers()
    folder = fetch(NAME, report)
    with quiet_libraries():
        parts = {} if control is None else {"controlnet": read_control(folder, control)}
        pipeline_class = getattr(diffusers, _PIPELINES[kind, control is not None])
        pipeline = pipeline_class.from_pretrained(folder, **_as_float32(), **parts)
    pipeline.set_progress_bar_config(disable=True)
    space_levels(pipeline, kind)
    return pipeline


def warn_unknown(prompt: str) -> str | None:
    """One sentence that names the words the model has never seen and the nearest phrases it knows; None without any.

    >>> warn_unknown("portrait, smile, pirate")
    'unknown to portrait-mini and left to chance: smile, pirate; the nearest it knows: smiling'
    >>> warn_unknown("portrait, smiling")
    """
    unknown = [word for word in unknown_words(prompt) if word.isalnum()]
    if not unknown:
        return None
    near = [phrase.text for phrase in PHRASES if any(_is_near(word, phrase.text) for word in unknown)]
    known = f"the nearest it knows: {', '.join(near)}" if near else f"it knows: {', '.join(p.text for p in PHRASES)}"
    return f"unknown to {NAME} and left to chance: {', '.join(unknown)}; {known}"


def _is_near(word: str, phrase: str) -> bool:
    return bool(difflib.get_close_matches(word, words(phrase), cutoff=0.65))


def _diffusers() -> ModuleType:
    """The package. model_index.json names our autoencoder too, whose module diffusers does not import by itself."""
    try:
        importlib.import_module("torch")
        importlib.import_module("transformers")
        importlib.import_module("portraitist.diffusion.patch_autoencoder")
        return importlib.import_module("diffusers")
    except ImportError as error:
        raise EngineError(
            f"{NAME}: expected torch, diffusers and transformers, found {error}; install portraitist[diffusion]"
        ) from error


def read_control(folder: Path, name: str) -> Any:
    """The network of one of CONTROLS in the model's folder."""
    from portraitist.diffusion.lean_controlnet import LeanControlNet

    return LeanControlNet.from_pretrained(folder / f"controlnet_{name}", **_as_float32())


def _as_float32() -> dict[str, Any]:
    """How every part is read: safetensors only, nothing from a hub, widened from the half precision of the files."""
    import torch

    return {"dtype": torch.float32, "use_safetensors": True, "local_files_only": True}
