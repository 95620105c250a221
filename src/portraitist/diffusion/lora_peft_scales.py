"""The scale of each module as diffusers notes it in a file when a LoRA was saved with its PEFT configuration."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portraitist.diffusion.lora import component_of
from portraitist.diffusion.lora_names import peft_name
from portraitist.errors import InputError

PEFT_NOTE = "lora_adapter_metadata"
_PLAIN = re.compile(r"\^?[\w.-]+")


@dataclass(frozen=True)
class PeftScales:
    """config: PEFT's settings, each name behind its component (`unet.lora_alpha`); empty in files without the note."""

    config: Mapping[str, Any]

    @classmethod
    def read(cls, metadata: Mapping[str, str]) -> PeftScales:
        """From a file's metadata. Raises InputError when the note is not JSON of names and values."""
        try:
            config = json.loads(metadata.get(PEFT_NOTE, "{}"))
        except ValueError as error:
            raise InputError(f"{PEFT_NOTE}: expected JSON in the metadata, found something else ({error})") from error
        if not isinstance(config, dict):
            raise InputError(f"{PEFT_NOTE}: expected settings by name in the metadata, found {type(config).__name__}")
        return cls(config)

    def of(self, path: str, rank: int) -> float:
        """alpha / rank of a module, or alpha / sqrt(rank) if trained so (Kalajdzievski 2023); 1 without a note."""
        component = component_of(path)
        alpha = self._alpha(path)
        if alpha is None or rank < 1:
            return 1.0
        return alpha / (math.sqrt(rank) if self.config.get(f"{component}.use_rslora") else rank)

    def _alpha(self, path: str) -> float | None:
        """The alpha of the pattern that ends the path, else that of the component."""
        component = component_of(path)
        names = [spelling.removeprefix(f"{component}.") for spelling in (path, peft_name(path))]
        pattern = self.config.get(f"{component}.alpha_pattern")
        for ending, alpha in (pattern if isinstance(pattern, dict) else {}).items():
            # PEFT takes a regular expression here; one from a stranger's file may run for ever, so only names are read.
            if not _PLAIN.fullmatch(ending):
                raise InputError(
                    f"{PEFT_NOTE}: expected module names in alpha_pattern, found {ending!r}; save it without"
                )
            if any(f".{name}".endswith(f".{ending.removeprefix('^')}") for name in names):
                return _as_number(alpha)
        return _as_number(self.config.get(f"{component}.lora_alpha"))


def _as_number(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(
            f"{PEFT_NOTE}: expected a positive alpha in the metadata, found {value!r}; the file is damaged"
        )
    return float(value)
