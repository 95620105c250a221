"""What draws a sitter in a style: the base with the LoRAs of the sitter, of the style and of few steps on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.diffusion.bases_files import base_digest
from portraitist.downloads import sha256_of
from portraitist.errors import ConfigError, InputError
from portraitist.generate.config import DrawConfig
from portraitist.progress import Report

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base, Sampling
    from portraitist.diffusion.lora import Lora
    from portraitist.generate.text import TextEngine
    from portraitist.identity.record import IdentityRecord
    from portraitist.styles.style import Style, StyleLora
    from portraitist.tasks.commission import Commission

SITTER, STYLE, FEW_STEPS = "sitter", "style", "few-steps"
"""Names the LoRAs are installed under."""
SCENE_IDENTITY = 0.25
"""Weight of the sitter's LoRA in a scene their face is put into afterwards: build, hair and colours come near the
sitter's, and the style keeps its own clothes, pose and light, which photos in a full identity pull along."""


@dataclass(frozen=True, eq=False)
class Drawer:
    """engine: draws. record: what was learned of the sitter. adapters: weights of the LoRAs by name. digests: sha256 of
    everything learned that the portraits depend on, by what it is; empty where one is not known."""

    engine: TextEngine
    record: IdentityRecord
    adapters: Mapping[str, float]
    digests: Mapping[str, str]

    @classmethod
    def load(cls, asked: Commission) -> Drawer:
        """Raises InputError when nothing was learned of the sitter on this base or a LoRA is for another, ConfigError
        when the base has no setting of few steps."""
        sampling = sampling_of(asked.base, asked.style, asked.settings.drawing)
        folder = asked.library.sitter(asked.cast.name).identities_dir / asked.base.name
        record = identity_of(folder, asked.cast.name, asked.base)
        files = _lora_files(folder, asked)
        loras = {adapter: read_for(asked.base, path, adapter, asked.style) for adapter, path in files.items()}
        adapters = {adapter: _weight(adapter, asked) for adapter in files}
        digests = {_label(adapter, asked.cast.name): sha256_of(path) for adapter, path in files.items()}
        digests |= {f"base {asked.base.name}": base_digest(asked.base)}
        digests |= {f"style {asked.style.key}": _style_words(asked.style)}
        return cls(_engine(asked, sampling, loras), record, adapters, digests)


def identity_of(folder: Path, name: str, base: Base) -> IdentityRecord:
    """What was learned of the sitter on the base. Raises InputError naming the command when nothing was."""
    from portraitist.identity.record import RECORD, read_identity

    if not (folder / RECORD).is_file():
        raise InputError(
            f"sitter '{name}': no identity on base '{base.name}' yet; learn one with "
            f"'portraitist train {name} --base {base.name}'"
        )
    return read_identity(folder)


def sampling_of(base: Base, style: Style, config: DrawConfig) -> Sampling:
    """Steps and guidance where the config names none: the style's, but those of the base where few steps are taken.

    Raises ConfigError where few steps are asked for and the base has no such setting and no LoRA for it was given.
    """
    from portraitist.diffusion.base_row import Sampling

    if config.few_steps_lora is not None:
        # Without guidance, as such LoRAs have it built in (diffusers, "Performing inference with LCM": 4 to 8 steps).
        return Sampling(8, 1.0)
    few = base.sampling if base.is_distilled else base.fast_sampling
    if config.few_steps and few is None:
        raise ConfigError(
            f"few_steps: base '{base.name}' has no setting of few steps by itself; give a LoRA of the LCM or Lightning "
            "kind for it with --few-steps-lora, or leave it out"
        )
    if few is not None and (config.few_steps or base.is_distilled):
        return few
    return Sampling(style.steps, style.guidance)


def read_for(base: Base, path: Path, adapter: str, style: Style) -> Lora:
    """The LoRA in a file. Raises InputError, naming who asked for it, when there is none or it is for another base."""
    from portraitist.diffusion.bases import BASES
    from portraitist.diffusion.lora_formats import read_lora, read_metadata

    who = {STYLE: f"LoRA of style '{style.key}'", FEW_STEPS: "few_steps_lora"}.get(adapter, "identity")
    if not path.is_file():
        raise InputError(f"{who}: expected a LoRA in {path}, found no file there; put it back, or correct the path")
    facts = read_metadata(path)
    row = BASES.get(facts.get("base", ""))
    family = facts.get("family") or (row.family if row else base.family)
    if family != base.family:
        raise InputError(
            f"{who}: expected one for base '{base.name}', found one learned on '{facts.get('base', family)}'; choose "
            "that base, or another LoRA"
        )
    return read_lora(path)


def _lora_files(folder: Path, asked: Commission) -> dict[str, Path]:
    from portraitist.identity.record import WEIGHTS

    files = {SITTER: folder / WEIGHTS}
    if asked.style.lora is not None:
        files[STYLE] = _style_file(asked.style.lora, asked.report)
    if asked.settings.drawing.few_steps_lora is not None:
        files[FEW_STEPS] = Path(asked.settings.drawing.few_steps_lora).expanduser()
    return files


def _style_file(lora: StyleLora, report: Report) -> Path:
    """Relative paths were resolved beside the style's file when it was read."""
    from portraitist.diffusion.lora_hub import HubLora, fetch_lora

    if lora.hub == "file":
        return Path(lora.file).expanduser()
    return fetch_lora(HubLora(lora.hub, lora.repository, lora.file, lora.revision), report)


def _weight(adapter: str, asked: Commission) -> float:
    if adapter == SITTER:
        whole = SCENE_IDENTITY if asked.settings.draw.scene_first else 1.0
        return whole * asked.style.identity_weight * asked.settings.drawing.identity_weight
    return asked.style.lora.weight if adapter == STYLE and asked.style.lora is not None else 1.0


def _engine(asked: Commission, sampling: Sampling, loras: Mapping[str, Lora]) -> TextEngine:
    from portraitist.diffusion.base_loading import load_base
    from portraitist.diffusion.lora_adapters import install
    from portraitist.diffusion.samplers import set_sampler
    from portraitist.generate.text import TextEngine

    pipeline = load_base(asked.base, "text", asked.placement, library=asked.library, report=asked.report)
    for adapter, lora in loras.items():
        install(pipeline, lora, adapter)
    takes_lora = asked.settings.drawing.few_steps_lora is not None
    set_sampler(pipeline, asked.settings.drawing.few_steps_sampler if takes_lora else asked.style.sampler)
    return TextEngine(pipeline, asked.settings.drawing, sampling.num_steps, sampling.guidance_scale, asked.report)


def _style_words(style: Style) -> str:
    """sha256 of all that the style says; where its LoRA lies is left out, as the file has a digest of its own."""
    words = asdict(style if style.lora is None else replace(style, lora=replace(style.lora, file=".safetensors")))
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


def _label(adapter: str, name: str) -> str:
    """What a digest in the recipe is of."""
    return {SITTER: f"identity of {name}", STYLE: "LoRA of the style"}.get(adapter, "LoRA of few steps")
