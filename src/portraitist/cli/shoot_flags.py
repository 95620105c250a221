"""Which flags of `shoot` do something for which kind of portrait. A flag that would do nothing is refused."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.compose.config import ComposeConfig
from portraitist.errors import ConfigError
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.tasks.config import DrawRequest

TEMPLATE, PAINTED = "--template", "--template with --engine lora"
HEAD_SHOT, ID_PHOTO, WORDS = "--backdrop", "--id-photo", "--style"
WORDS_PAINTED = "--style with --scene-engine lora"
_ASKS_FOR = {
    "templates": TEMPLATE,
    "backdrop": HEAD_SHOT,
    "id_photo": ID_PHOTO,
    **dict.fromkeys(("style", "prompt", "pose"), WORDS),
}
"""The flags that say what kind is wanted."""
_RING = ("controls", "growth", "ring", "ring_canny", "ring_denoise", "ring_steps", "ring_tile")
"""Settings of the pass around the face."""


def kind_of(parsed: argparse.Namespace) -> str:
    """What kind of portrait is asked for. Raises ConfigError when that is none or several, when the engine does not
    make it, and when a flag was given that does nothing for it."""
    asked = list(dict.fromkeys(kind for name, kind in _ASKS_FOR.items() if hasattr(parsed, name)))
    if len(asked) != 1:
        raise ConfigError(
            f"expected one of {TEMPLATE}, {HEAD_SHOT}, {ID_PHOTO} and {WORDS}; found {' and '.join(asked) or 'none'}"
        )
    kind, engine = asked[0], getattr(parsed, "engine", None)
    if kind == WORDS and engine not in (None, "lora"):
        raise ConfigError(f"{WORDS}: is drawn by the sitter's identity, expected --engine lora, found '{engine}'")
    kind = PAINTED if kind == TEMPLATE and engine == "lora" else kind
    kind = WORDS_PAINTED if kind == WORDS and getattr(parsed, "scene_engine", None) == "lora" else kind
    for name, kinds in _uses().items():
        if getattr(parsed, name, None) is not None and kind not in kinds:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(f"{flag}: does nothing with {kind}; it goes with {' or '.join(sorted(kinds))}")
    return kind


def _uses() -> dict[str, frozenset[str]]:
    """The kinds that each flag does something for; flags that are not here serve all."""
    words = frozenset({WORDS, WORDS_PAINTED})
    return {
        # A drawn portrait gets the sitter's own face as a template does, and the ring around it.
        **dict.fromkeys(_fields(ComposeConfig), frozenset({TEMPLATE, PAINTED}) | words),
        **dict.fromkeys(_fields(BackdropConfig), frozenset({HEAD_SHOT, ID_PHOTO})),
        # An ID format has its own size and room.
        **dict.fromkeys(("height", "padding", "crop"), frozenset({HEAD_SHOT})),
        "background": frozenset({ID_PHOTO}),
        "slots": frozenset({TEMPLATE, PAINTED}),
        **dict.fromkeys(_fields(TwoPassConfig), frozenset({PAINTED, WORDS_PAINTED})),
        **dict.fromkeys(_RING, frozenset({PAINTED}) | words),
        **dict.fromkeys(_fields(DrawRequest) - {"count", "seed", "format"}, words),
        **dict.fromkeys(_fields(DrawConfig), words),
        **dict.fromkeys(("base", "guidance_scale"), frozenset({PAINTED}) | words),
    }


def _fields(config: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(config) if field.metadata}
