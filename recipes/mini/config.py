"""Sizes and settings of portrait-mini: as it is trained on a CPU, on a GPU, and a tiny one for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from portraitist.training.config import LoopConfig


@dataclass(frozen=True)
class TextConfig:
    """The text encoder. width: of a token. layers and heads: of the transformer. max_tokens: of a prompt."""

    width: int = 192
    layers: int = 2
    heads: int = 6
    max_tokens: int = 48


@dataclass(frozen=True)
class UNetConfig:
    """The denoiser. widths: of its three levels (16, 8 and 4 positions a side); the first has no attention."""

    widths: tuple[int, int, int] = (128, 160, 192)
    head_width: int = 32
    norm_groups: int = 32
    dropout: float = 0.1


@dataclass(frozen=True)
class DataConfig:
    """What one training picture is.

    side: of the pack's pictures in pixels. least_crop: smallest part of a picture's side that a crop keeps.
    crop_share: share of samples that are cropped. phrase_share: chance of each phrase that fits to be said.
    empty_share: share of samples with an empty caption, for guidance. flip_share: share of mirrored samples.
    """

    side: int = 176
    least_crop: float = 0.73
    crop_share: float = 0.5
    phrase_share: float = 0.8
    empty_share: float = 0.12
    flip_share: float = 0.5


@dataclass(frozen=True)
class MiniConfig:
    """portrait-mini as a whole. latent_channels: of the patch autoencoder. image_side: of the output in pixels.

    sigma_mean and sigma_spread: of the logit-normal noise levels.
    """

    image_side: int = 128
    latent_channels: int = 64
    batch: int = 16
    sigma_mean: float = 0.4
    sigma_spread: float = 1.0
    text: TextConfig = field(default_factory=TextConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(learning_rate=3e-4, decay_after=10_000))


SHIPPED = MiniConfig()
GPU = MiniConfig(
    batch=256,
    # The square root of the batch's growth, where the linear rule would ask for sixteen times the rate.
    loop=LoopConfig(learning_rate=1e-3, decay_after=3000),
)
TINY = MiniConfig(
    image_side=32,
    latent_channels=16,
    batch=4,
    text=TextConfig(width=16, layers=1, heads=2),
    unet=UNetConfig(widths=(16, 16, 16), head_width=8, norm_groups=4),
    data=DataConfig(side=48),
    loop=LoopConfig(warm_up=5),
)
CONFIGS = {"cpu": SHIPPED, "gpu": GPU, "tiny": TINY}
