"""What of a prompt the base's text encoders never see: they read a fixed number of tokens and drop the rest."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

_TOKENIZERS = ("tokenizer", "tokenizer_2")


def cut_words(pipeline: Any, prompt: str, options: Mapping[str, Any] | None = None) -> str:
    """The end of the prompt that is not read by every encoder of the pipeline; empty where all of it is.

    CLIP reads its tokenizer's `model_max_length` (77 for Stable Diffusion), two of which mark start and end. FLUX.2 and
    Z-Image put the prompt into a chat and read `max_sequence_length` of it. options: of the pipeline's call.
    """
    rests = []
    for name in _TOKENIZERS:
        tokenizer = getattr(pipeline, name, None)
        if tokenizer is None:
            continue
        if tokenizer.chat_template:
            rests.append(_cut_of_chat(tokenizer, prompt, _longest_chat(pipeline, options or {})))
        else:
            room = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add()
            rests.append(prompt[_start_of(tokenizer, prompt, room) :])
    return max(rests, key=len, default="").strip(" ,")


def warn_cut(pipeline: Any, prompt: str, negative: str = "", options: Mapping[str, Any] | None = None) -> list[str]:
    """A sentence for each of the two prompts that is longer than the encoder, with what is left out."""
    found = {"prompt": cut_words(pipeline, prompt, options), "negative prompt": cut_words(pipeline, negative, options)}
    return [
        f"{name}: longer than the base's text encoder reads; left out: '{rest}'" for name, rest in found.items() if rest
    ]


def _longest_chat(pipeline: Any, options: Mapping[str, Any]) -> int:
    usual = inspect.signature(pipeline.__call__).parameters["max_sequence_length"].default
    return int(options.get("max_sequence_length", usual))


def _cut_of_chat(tokenizer: Any, prompt: str, longest: int) -> str:
    """The chat is cut at its end, where its own closing marks go first."""
    messages = [{"role": "user", "content": prompt}]
    chat = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    first = chat.find(prompt)
    return prompt[max(0, _start_of(tokenizer, chat, longest) - first) :]


def _start_of(tokenizer: Any, text: str, room: int) -> int:
    """Where in the text the first token begins that has no room; its length where there is none."""
    # Without `verbose`, transformers would warn of what is found out here.
    read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False)
    offsets = read["offset_mapping"]
    return int(offsets[room][0]) if len(offsets) > room else len(text)
