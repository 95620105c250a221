"""Portraits from words: any diffusers text pipeline, drawn in batches, each from its own seed."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from portraitist.diffusion.lora_adapters import set_weights
from portraitist.generate.config import DrawConfig
from portraitist.progress import Report, Step, silent
from portraitist.types import Image, Portrait, derive


@dataclass(frozen=True)
class TextOrder:
    """What to draw. prompts: one a portrait. negative: what to keep out. sources: digests of the photos behind the
    weights. adapters: weights of LoRAs by the name they are installed under."""

    prompts: Sequence[str]
    negative: str = ""
    sources: tuple[str, ...] = ()
    adapters: Mapping[str, float] = field(default_factory=dict)


@dataclass
class TextEngine:
    """Draws `TextOrder`s. num_steps and guidance_scale: the base's, used where the config has none.

    options: further arguments of the pipeline's call.
    """

    pipeline: Any
    config: DrawConfig
    num_steps: int
    guidance_scale: float
    report: Report = silent
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, order: TextOrder, *, seed: int, start: int = 0) -> Iterator[Portrait]:
        """Portraits `start` and on, in the order of the prompts; portrait i is drawn from `derive(seed, i)`.

        The batch changes its last bits only, and a later start draws the same batches: what is left has the same bits.
        """
        set_weights(self.pipeline, order.adapters)
        size = self.config.batch
        for first in range(start - start % size, len(order.prompts), size):
            began = time.perf_counter()
            images = self.draw(order.prompts[first : first + size], order.negative, seed, first)
            seconds = (time.perf_counter() - began) / len(images)
            for number, image in list(enumerate(images, start=first))[max(0, start - first) :]:
                self.report(Step("draw", number + 1, len(order.prompts)))
                yield Portrait(image, order.sources, details=self._details(order, number, seconds))

    def draw(self, prompts: Sequence[str], negative: str, seed: int, first: int = 0) -> list[Image]:
        """uint8 pictures, one a prompt; the adapters are as they were set before."""
        generators = [torch.Generator().manual_seed(derive(seed, first + i)) for i in range(len(prompts))]
        found = self.pipeline(
            prompt=list(prompts),
            num_inference_steps=self.config.num_steps or self.num_steps,
            guidance_scale=self._guidance,
            generator=generators,
            output_type="np",
            **self._negative(negative, len(prompts)),
            **self.options,
        )
        return [np.asarray(np.round(image * 255), np.uint8) for image in found.images]

    @property
    def _guidance(self) -> float:
        return self.guidance_scale if self.config.guidance_scale is None else self.config.guidance_scale

    def _negative(self, negative: str, count: int) -> dict[str, Any]:
        """Only where it was asked for, and where the pipeline takes one: FLUX.2 klein does not."""
        return {"negative_prompt": [negative] * count} if negative and self.takes_negative else {}

    @property
    def takes_negative(self) -> bool:
        """Whether the pipeline listens to a negative prompt."""
        return "negative_prompt" in inspect.signature(self.pipeline.__call__).parameters

    def _details(self, order: TextOrder, number: int, seconds: float) -> dict[str, Any]:
        return {
            "prompt": order.prompts[number],
            "negative": order.negative,
            "num_steps": self.config.num_steps or self.num_steps,
            "guidance_scale": self._guidance,
            "adapters": dict(order.adapters),
            "seconds": round(seconds, 3),
        }
