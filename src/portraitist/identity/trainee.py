"""A sitter's LoRA on a base, as the training loop wants it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from peft import LoraConfig
from torch import Tensor, nn
from torch.nn import functional

from portraitist.diffusion.captions import TRIGGER
from portraitist.diffusion.denoisers import Denoiser, Text
from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import install, remove
from portraitist.identity.buckets import batches
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto, data_digest
from portraitist.identity.memory import MAIN_MEMORY, Memory
from portraitist.identity.prior import Prior
from portraitist.types import Image

ADAPTER = "sitter"
VALIDATION_SEED = 20
"""Of the fixed noise and levels of the validation loss."""


@dataclass(frozen=True)
class LoraSettings:
    """What the LoRA is: rank, alpha, and by part of the pipeline the ends of the module names that take it; rates."""

    rank: int
    alpha: float
    targets: Mapping[str, tuple[str, ...]]
    learning_rate: float
    text_learning_rate: float
    batch: int


def with_trigger(caption: str, trigger: str = TRIGGER) -> str:
    """The caption about what is learned: the trigger comes right after the subject. An empty one changes nothing.

    >>> with_trigger("portrait, smiling")
    'portrait, sitter, smiling'
    """
    if not trigger:
        return caption
    subject, comma, rest = caption.partition(",")
    return f"{subject}, {trigger}{comma}{rest}"


class LoraTrainee:
    """Adapters on the denoiser (and on the text encoder where its rate is above 0); everything else stands still.

    trigger: the word for what is learned, "" for none. memory: where the parts are meanwhile; None leaves them where
    they are. prior: a LoRA to begin from.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        photos: Sequence[TrainingPhoto],
        lora: LoraSettings,
        config: IdentityConfig,
        base: str,
        *,
        trigger: str = TRIGGER,
        memory: Memory | None = None,
        prior: Prior | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.denoiser, self.photos, self.lora, self.config, self.base = denoiser, photos, lora, config, base
        self.trigger, self.memory, self.prior = trigger, memory or Memory(denoiser.pipeline), prior
        parts = {name: part for name, part in denoiser.trainable.items() if name in lora.targets}
        self.learns_text = "text_encoder" in parts and lora.text_learning_rate > 0 and not self.memory.caches_text
        if not self.learns_text:
            parts.pop("text_encoder", None)
        for name, part in parts.items():
            add_adapter(part, lora, lora.targets[name])
            release(part)
        if prior is not None:
            prior.lay_in(parts, ADAPTER)
        self.module: nn.Module = nn.ModuleDict(parts)
        self.rates: Mapping[str, float] = {"text_encoder.": lora.text_learning_rate / lora.learning_rate}
        self._texts: dict[str, Text] = {}
        self.memory.begin(next(iter(denoiser.trainable)), parts)
        self._encode()

    @property
    def settings(self) -> Mapping[str, Any]:
        """Base, LoRA, config, the data's digest: what changes the bits of a step. Not how many there are, nor where
        parts wait meanwhile; the reward stage comes after and changes nothing of a run."""
        # What was asked for and came out as something else stands here as that; the loop knows its accumulation.
        facts = {**asdict(self.config), **asdict(self.lora)}
        for name in ("preset", "steps", "patience", "accumulation"):
            del facts[name]
        facts = {name: value for name, value in facts.items() if not name.startswith("reward")}
        return {
            **facts,
            "base": self.base,
            "data": data_digest(self.photos),
            "prior": None if self.prior is None else self.prior.sha256,
            "precision": str(self.denoiser.dtype),
            "learns_text": self.learns_text,
            "has_eight_bits": self.memory.has_eight_bits,
        }

    def put(self, lora: Lora) -> None:
        """Lay this LoRA in the adapters' place, ready to learn on."""
        remove(self.denoiser.pipeline, ADAPTER)
        install(self.denoiser.pipeline, lora, ADAPTER)
        for part in self.module.children():
            release(part)

    def over(self, photos: Sequence[TrainingPhoto]) -> LoraTrainee:
        """The same adapters, learning from other photos."""
        other = copy.copy(self)
        other.photos = photos
        other._encode()
        return other

    def loss(self, step: int) -> Tensor:
        """Weighted mean of the base's loss over a batch; photos come in a new order each round."""
        chosen = self._batch(step)
        captions = [self._caption(self.photos[i].caption) for i in chosen]
        clean, weight = self._pictures(chosen)
        levels = self.denoiser.draw_levels(len(chosen))
        return weighted(self._loss_map(clean, torch.randn_like(clean), levels, captions), weight)

    def _pictures(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Latents and weights of a batch, mirrored by chance where that is asked for."""
        latents, weights = [self.latents[i] for i in chosen], [self.weights[i] for i in chosen]
        if self.config.flip:
            for place in (torch.rand(len(chosen)) < 0.5).nonzero().flatten().tolist():
                latents[place], weights[place] = self.mirrored[chosen[place]], weights[place].flip(-1)
        return torch.cat(latents), torch.cat(weights)

    def validation_loss(self, photos: Sequence[TrainingPhoto]) -> float:
        """The same loss on other photos with fixed noise at eight fixed levels: comparable between checkpoints."""
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(VALIDATION_SEED)
            self.module.eval()
            values = [self._validation(photo) for photo in photos]
        return float(np.mean(values))

    def _validation(self, photo: TrainingPhoto) -> float:
        clean, weight = self._once(photo)
        levels = torch.linspace(0.06, 0.94, 8, device=clean.device)
        many = clean.expand(8, *clean.shape[1:])
        captions = [with_trigger(photo.caption, self.trigger)] * 8
        return float(weighted(self._loss_map(many, torch.randn_like(many), levels, captions), weight.expand(8, -1, -1)))

    def _once(self, photo: TrainingPhoto) -> tuple[Tensor, Tensor]:
        """`encode_photo`, remembered: the autoencoder is not called at every checkpoint."""
        if id(photo) not in self._held:
            # The photo itself is kept too, or its number could become another's.
            self._held[id(photo)] = (photo, *encode_photo(self.denoiser, photo))
        return self._held[id(photo)][1:]

    def _loss_map(self, clean: Tensor, noise: Tensor, levels: Tensor, captions: Sequence[str]) -> Tensor:
        text = self.denoiser.encode_text(captions) if self.learns_text else self._known_text(captions)
        return self.denoiser.loss_map(clean, noise, levels, text)

    def _known_text(self, captions: Sequence[str]) -> Text:
        """Captions of a text encoder that stands still: each is encoded once and kept in main memory."""
        for caption in captions:
            if caption not in self._texts:
                with torch.no_grad():
                    self._texts[caption] = self.denoiser.encode_text([caption]).to(MAIN_MEMORY)
        return Text.joined([self._texts[caption] for caption in captions]).to(self.denoiser.device)

    def _batch(self, step: int) -> list[int]:
        """Indices of one pass, of photos of one shape."""
        while len(self._batches) <= step:
            self._batches.append(next(self._more))
        return self._batches[step]

    def _caption(self, caption: str) -> str:
        subject = caption.partition(",")[0]
        dropped = float(torch.rand(())) < self.config.caption_drop
        return with_trigger(subject if dropped else caption, self.trigger)

    def _encode(self) -> None:
        """Everything that is made from the photos once: latents, weights, captions, the order of batches."""
        photos = self.photos
        self._held: dict[int, tuple[TrainingPhoto, Tensor, Tensor]] = {}
        self._batches: list[list[int]] = []
        self._more = batches([photo.image.shape for photo in photos], self.lora.batch, self.config.seed)
        with torch.no_grad():
            pairs = [encode_photo(self.denoiser, photo) for photo in photos]
            turned = photos if self.config.flip else ()
            self.mirrored = [self.denoiser.encode_images(as_pixels(photo.image[:, ::-1])) for photo in turned]
        self.latents, self.weights = [latents for latents, _ in pairs], [weight for _, weight in pairs]
        if not self.learns_text:
            captions = [text for photo in photos for text in (photo.caption, photo.caption.partition(",")[0])]
            self._known_text([with_trigger(caption, self.trigger) for caption in captions])


def add_adapter(part: nn.Module, lora: LoraSettings, targets: Sequence[str]) -> None:
    """Give the part fresh adapters."""
    part.add_adapter(  # type: ignore[operator]
        LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(targets), init_lora_weights="gaussian"),
        adapter_name=ADAPTER,
    )


def release(part: nn.Module) -> None:
    """Freeze the part but for its adapters, which learn in float32 whatever the part is in."""
    for name, parameter in part.named_parameters():
        parameter.requires_grad_(".lora_" in name)
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def encode_photo(denoiser: Denoiser, photo: TrainingPhoto) -> tuple[Tensor, Tensor]:
    """Latents (1, c, h, w) of a photo and its loss weights at their size (1, h, w)."""
    latents = denoiser.encode_images(as_pixels(photo.image))
    weight = torch.from_numpy(photo.weight)[None, None].to(latents.device)
    return latents, functional.adaptive_avg_pool2d(weight, (latents.shape[-2], latents.shape[-1]))[:, 0]


def as_pixels(image: Image) -> Tensor:
    """(1, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def weighted(loss_map: Tensor, weight: Tensor) -> Tensor:
    """Mean of the map by weight, so that a small face counts as much as a large one."""
    per_picture = (loss_map * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2)).clamp_min(1e-6)
    return per_picture.mean()
