"""One contract for every base: pictures and words in, the training loss at each latent position out.

What differs between bases is how noise is mixed in and what the network answers:

| base | mixture | answer |
|---|---|---|
| portrait-mini | (1 - s) x + s e | x, the loss weighed as that of the velocity |
| SD 1.5, SDXL | sqrt(a) x + sqrt(1 - a) e | e, or the velocity where the scheduler says so |
| FLUX.2 klein | (1 - s) x + s e | e - x |
| Z-Image | (1 - s) x + s e | x - e, told 1 - s |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from portraitist.diffusion.flow import LEAST_SIGMA, add_noise, draw_sigmas
from portraitist.errors import InputError

SIGMA_MEAN, SIGMA_SPREAD = 0.4, 1.0
"""Logit-normal noise levels of portrait-mini, as its base was trained."""


@dataclass(frozen=True)
class Text:
    """Encoded prompts as one base takes them. embeds: (b, n, d), or a list of (n, d). extra: what goes beside them."""

    embeds: Any
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device | str) -> Text:
        """The same on another device."""
        moved = {name: tensor.to(device) for name, tensor in self.extra.items()}
        if isinstance(self.embeds, Tensor):
            return Text(self.embeds.to(device), moved)
        return Text([embeds.to(device) for embeds in self.embeds], moved)

    @staticmethod
    def joined(texts: Sequence[Text]) -> Text:
        """Prompts that were encoded one by one, as a batch."""
        extra = {name: torch.cat([text.extra[name] for text in texts]) for name in texts[0].extra}
        if isinstance(texts[0].embeds, Tensor):
            return Text(torch.cat([text.embeds for text in texts]), extra)
        return Text([embeds for text in texts for embeds in text.embeds], extra)


class Denoiser(Protocol):
    """A base as training sees it. `trainable` names the parts that take LoRA, the network first. dtype: what that
    computes in; latents and losses are in float32 on `device` all the same. h and w need not be equal."""

    pipeline: Any
    dtype: torch.dtype

    @property
    def device(self) -> torch.device:
        """Where the pipeline computes, also while its parts wait elsewhere."""
        ...

    @property
    def trainable(self) -> Mapping[str, nn.Module]: ...

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Latents of pictures (b, 3, h, w) in [-1, 1], from any device."""
        ...

    def encode_text(self, prompts: Sequence[str]) -> Text:
        """Prompts as the network hears them."""
        ...

    def draw_levels(self, count: int) -> Tensor:
        """(count,) noise levels in (0, 1), 1 being noise alone, from torch's seeded generator."""
        ...

    def loss_map(self, clean: Tensor, noise: Tensor, levels: Tensor, text: Text) -> Tensor:
        """(b, h, w) squared error at each latent position, averaged over channels."""
        ...


def denoiser_of(pipeline: Any, prompt_options: Mapping[str, Any] = MappingProxyType({})) -> Denoiser:
    """The contract's implementation for a diffusers pipeline; InputError for a family it does not know.

    prompt_options: further arguments of the pipeline's encode_prompt, such as its longest sequence.
    """
    name = type(pipeline).__name__
    for prefix, build in _FAMILIES:
        if name.startswith(prefix):
            denoiser: Denoiser = build(pipeline, prompt_options)
            return denoiser
    known = ", ".join(prefix for prefix, _ in _FAMILIES)
    raise InputError(
        f"{name}: expected a pipeline whose name begins with one of {known}; this family cannot be trained"
    )


@dataclass
class _OnPipeline:
    """What all families share. dtype: what the frozen network computes in, read before adapters in float32 join it."""

    pipeline: Any
    prompt_options: Mapping[str, Any] = field(default_factory=dict)
    dtype: torch.dtype = field(init=False)

    def __post_init__(self) -> None:
        self.dtype = next(iter(self.trainable.values())).dtype  # type: ignore[assignment]

    @property
    def device(self) -> torch.device:
        device: torch.device = self.pipeline._execution_device
        return device

    @property
    def trainable(self) -> Mapping[str, nn.Module]:
        raise NotImplementedError

    def _for_vae(self, pixels: Tensor) -> Tensor:
        return pixels.to(self.device, self.pipeline.vae.dtype)


class UNetDenoiser(_OnPipeline):
    """SD 1.5, SDXL and portrait-mini: a U-Net, a text encoder that may learn too."""

    @property
    def trainable(self) -> Mapping[str, nn.Module]:
        return {"unet": self.pipeline.unet, "text_encoder": self.pipeline.text_encoder}

    @property
    def is_flow(self) -> bool:
        """True for portrait-mini's scheduler."""
        return bool(self.pipeline.scheduler.config.get("use_flow_sigmas", False))

    def encode_images(self, pixels: Tensor) -> Tensor:
        vae = self.pipeline.vae
        latents: Tensor = vae.encode(self._for_vae(pixels)).latent_dist.mode().float() * vae.config.scaling_factor
        return latents

    def encode_text(self, prompts: Sequence[str]) -> Text:
        embeds, _ = self.pipeline.encode_prompt(list(prompts), self.device, 1, False, **self.prompt_options)
        return Text(embeds)

    def draw_levels(self, count: int) -> Tensor:
        if self.is_flow:
            return draw_sigmas(count, mean=SIGMA_MEAN, spread=SIGMA_SPREAD, device=self.device)
        return (torch.randint(0, 1000, (count,), device=self.device) + 0.5) / 1000

    def loss_map(self, clean: Tensor, noise: Tensor, levels: Tensor, text: Text) -> Tensor:
        if self.is_flow:
            predicted = self._unet(add_noise(clean, noise, levels), levels * 1000, text)
            weight = levels.clamp_min(LEAST_SIGMA).square().reciprocal().view(-1, 1, 1)
            return weight * (predicted - clean).square().mean(dim=1)
        kept = self._kept(levels).view(-1, 1, 1, 1)
        noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        target = noise
        if self.pipeline.scheduler.config.prediction_type == "v_prediction":
            target = kept.sqrt() * noise - (1 - kept).sqrt() * clean
        return (self._unet(noisy, (levels * 1000).long(), text) - target).square().mean(dim=1)

    def _kept(self, levels: Tensor) -> Tensor:
        """Share of the picture's power that is left at each level (alpha bar)."""
        table: Tensor = self.pipeline.scheduler.alphas_cumprod.to(levels.device)
        return table[(levels * 1000).long()]

    def _unet(self, noisy: Tensor, times: Tensor, text: Text) -> Tensor:
        words, more = text.embeds.to(self.dtype), self._conditions(noisy, text)
        predicted: Tensor = self.pipeline.unet(noisy.to(self.dtype), times, words, **more).sample
        return predicted.float()

    def _conditions(self, noisy: Tensor, text: Text) -> dict[str, Any]:
        return {}


class SDXLDenoiser(UNetDenoiser):
    """SDXL also hears a pooled prompt and the picture's size."""

    @property
    def trainable(self) -> Mapping[str, nn.Module]:
        return {"unet": self.pipeline.unet}

    def encode_text(self, prompts: Sequence[str]) -> Text:
        embeds, _, pooled, _ = self.pipeline.encode_prompt(
            list(prompts), device=self.device, do_classifier_free_guidance=False, **self.prompt_options
        )
        return Text(embeds, {"pooled": pooled})

    def _conditions(self, noisy: Tensor, text: Text) -> dict[str, Any]:
        h, w = (side * self.pipeline.vae_scale_factor for side in noisy.shape[-2:])
        # Original size, no crop, target size (Podell et al. 2023, section 2.2).
        sizes = torch.tensor([[h, w, 0, 0, h, w]], device=noisy.device, dtype=self.dtype)
        pooled = text.extra["pooled"].to(self.dtype)
        return {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": sizes.expand(len(noisy), -1)}}


class KleinDenoiser(_OnPipeline):
    """FLUX.2 klein: a transformer over packed latents, velocity e - x."""

    @property
    def trainable(self) -> Mapping[str, nn.Module]:
        return {"transformer": self.pipeline.transformer}

    def encode_images(self, pixels: Tensor) -> Tensor:
        latents: Tensor = self.pipeline._encode_vae_image(self._for_vae(pixels), None)
        return latents.float()

    def encode_text(self, prompts: Sequence[str]) -> Text:
        embeds, ids = self.pipeline.encode_prompt(list(prompts), device=self.device, **self.prompt_options)
        return Text(embeds, {"ids": ids})

    def draw_levels(self, count: int) -> Tensor:
        return draw_sigmas(count, mean=0.0, spread=1.0, device=self.device)

    def loss_map(self, clean: Tensor, noise: Tensor, levels: Tensor, text: Text) -> Tensor:
        noisy = add_noise(clean, noise, levels)
        ids = self.pipeline._prepare_latent_ids(noisy).to(noisy.device)
        answer = self.pipeline.transformer(
            hidden_states=self.pipeline._pack_latents(noisy).to(self.dtype),
            timestep=levels,
            guidance=None,
            encoder_hidden_states=text.embeds.to(self.dtype),
            txt_ids=text.extra["ids"],
            img_ids=ids,
            return_dict=False,
        )[0]
        target = self.pipeline._pack_latents(noise - clean)
        squared: Tensor = (answer.float() - target).square()
        return squared.mean(dim=2).reshape(len(clean), *clean.shape[-2:])


class ZImageDenoiser(_OnPipeline):
    """Z-Image: a transformer that takes lists, is told 1 - sigma and answers x - e."""

    @property
    def trainable(self) -> Mapping[str, nn.Module]:
        return {"transformer": self.pipeline.transformer}

    def encode_images(self, pixels: Tensor) -> Tensor:
        vae = self.pipeline.vae
        latents = vae.encode(self._for_vae(pixels)).latent_dist.mode().float()
        centred: Tensor = (latents - vae.config.shift_factor) * vae.config.scaling_factor
        return centred

    def encode_text(self, prompts: Sequence[str]) -> Text:
        embeds, _ = self.pipeline.encode_prompt(
            list(prompts), device=self.device, do_classifier_free_guidance=False, **self.prompt_options
        )
        return Text(embeds)

    def draw_levels(self, count: int) -> Tensor:
        return draw_sigmas(count, mean=0.0, spread=1.0, device=self.device)

    def loss_map(self, clean: Tensor, noise: Tensor, levels: Tensor, text: Text) -> Tensor:
        noisy = add_noise(clean, noise, levels).unsqueeze(2).to(self.dtype)
        words = [embeds.to(self.dtype) for embeds in text.embeds]
        answers = self.pipeline.transformer(list(noisy.unbind(0)), 1 - levels, words, return_dict=False)[0]
        answer = torch.stack(list(answers)).squeeze(2).float()
        squared: Tensor = (answer - (clean - noise)).square()
        return squared.mean(dim=1)


_FAMILIES: tuple[tuple[str, Any], ...] = (
    ("StableDiffusionXL", SDXLDenoiser),
    ("StableDiffusion", UNetDenoiser),
    ("Flux2Klein", KleinDenoiser),
    ("ZImage", ZImageDenoiser),
)
