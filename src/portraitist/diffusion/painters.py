"""One contract for painting inside a mask, whichever base paints: image to image under controls, or inpainting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from portraitist.diffusion.lora_adapters import loras_off
from portraitist.diffusion.masking import inpaint_inside, paint_inside
from portraitist.types import Image, Mask


@dataclass(frozen=True)
class Condition:
    """What a control is given. image: (h, w, 3), as large as the picture. weight: of the control, 0 to 2."""

    image: Image
    weight: float


class Painter(Protocol):
    """Paints inside masks. kinds: of the controls it has; conditions of other kinds are refused."""

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def paint(
        self,
        image: Image,
        mask: Mask,
        prompt: str,
        conditions: Mapping[str, Condition],
        *,
        strength: float,
        steps: int,
        seed: int,
    ) -> Image:
        """The picture (h, w, 3), sides multiples of 16, painted where the mask (h, w) is 1; at 0 every pixel stays.

        strength: how far it is painted anew, in [0, 1]. steps: of the whole schedule, of which the last `strength` are
        taken; a base may take its own number instead. conditions: one for each of `kinds`.
        """
        ...


@dataclass
class ControlPainter:
    """Image to image, the latents outside the mask held: portrait-mini, Stable Diffusion 1.5, SDXL.

    pipeline: image to image, with a ControlNet for each of `kinds` in their order, or without any.
    painted_steps: the steps this base takes, where it has its own number. options: further arguments of the pipeline's
    call.
    """

    pipeline: Any
    guidance_scale: float
    kinds: tuple[str, ...] = ()
    painted_steps: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def paint(
        self,
        image: Image,
        mask: Mask,
        prompt: str,
        conditions: Mapping[str, Condition],
        *,
        strength: float,
        steps: int,
        seed: int,
    ) -> Image:
        """See `Painter`."""
        if strength == 0:
            return image
        controls = _controls([conditions[kind] for kind in self.kinds])
        return paint_inside(
            self.pipeline,
            prompt,
            image,
            mask,
            seed=seed,
            strength=strength,
            num_inference_steps=whole_steps(strength, steps, self.painted_steps),
            guidance_scale=self.guidance_scale,
            **controls,
            **self.options,
        )


@dataclass
class DifferencePainter:
    """What the LoRAs change: the painting without them, of the same noise, is taken off the one with them.

    A small base paints everything a little softer and blotched, with or without a LoRA; that falls out.
    """

    painter: ControlPainter

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those of the painter."""
        return self.painter.kinds

    def paint(self, image: Image, mask: Mask, prompt: str, conditions: Mapping[str, Condition], **how: Any) -> Image:
        """See `Painter`; the LoRAs that are on come on again afterwards."""
        with_loras = self.painter.paint(image, mask, prompt, conditions, **how).astype(np.float32)
        with loras_off(self.painter.pipeline):
            without = self.painter.paint(image, mask, prompt, conditions, **how)
        return np.asarray(np.clip(np.round(image + with_loras - without), 0, 255), np.uint8)


@dataclass
class InpaintPainter:
    """The base's own inpainting pipeline: FLUX.2 klein, Z-Image. No controls: the picture it starts from is held on to
    by the strength alone."""

    pipeline: Any
    guidance_scale: float
    painted_steps: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """None."""
        return ()

    def paint(
        self,
        image: Image,
        mask: Mask,
        prompt: str,
        conditions: Mapping[str, Condition],
        *,
        strength: float,
        steps: int,
        seed: int,
    ) -> Image:
        """See `Painter`."""
        if strength == 0:
            return image
        return inpaint_inside(
            self.pipeline,
            prompt,
            image,
            mask,
            seed=seed,
            strength=strength,
            num_inference_steps=whole_steps(strength, steps, self.painted_steps),
            guidance_scale=self.guidance_scale,
            **self.options,
        )


def whole_steps(strength: float, steps: int, painted_steps: int | None) -> int:
    """Steps of the whole schedule, so that at least one is taken; of a base with its own number that many are.

    >>> whole_steps(0.45, 50, None), whole_steps(0.45, 50, 4), whole_steps(0.01, 20, None)
    (50, 9, 100)
    """
    if painted_steps is not None:
        return math.ceil(painted_steps / strength)
    return max(steps, math.ceil(1 / strength))


def _controls(conditions: list[Condition]) -> dict[str, Any]:
    """As the pipelines take them: lists for several controls, plain for one, nothing for none."""
    if not conditions:
        return {}
    pictures, weights = [as_picture(c.image) for c in conditions], [float(c.weight) for c in conditions]
    is_one = len(conditions) == 1
    return {
        "control_image": pictures[0] if is_one else pictures,
        "controlnet_conditioning_scale": weights[0] if is_one else weights,
    }


def as_picture(image: Image | Mask) -> Any:
    """As diffusers takes it; a mask in [0, 1] becomes grey."""
    from PIL import Image as Pillow

    return Pillow.fromarray(image if image.dtype == np.uint8 else np.asarray(np.round(image * 255), np.uint8))
