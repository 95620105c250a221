"""The reward stage of `train`: who draws for it, with which words, and when it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portraitist.errors import ConfigError
from portraitist.identity.config import IdentityConfig
from portraitist.tasks.train_previews import PROMPTS
from portraitist.types import Image

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextEngine
    from portraitist.identity.dataset import AlbumSplit
    from portraitist.identity.train import Outcome, Trainer
    from portraitist.retouch.person import PersonSegmenter


def require_photos_to_choose(config: IdentityConfig, split: AlbumSplit) -> None:
    """ConfigError when likeness is to be rewarded and the album kept no photo back to measure it by."""
    if config.reward == "likeness" and not split.choose:
        from portraitist.identity.dataset import LEAST_TO_SPLIT

        count = len(split.train) + len(split.held_out)
        raise ConfigError(
            f"--reward likeness: expected an album of at least {LEAST_TO_SPLIT} photos, found {count}; likeness is "
            "rewarded by photos that were not learned from, and a smaller album keeps none back; add photos, or leave "
            "it out"
        )


def rewarded(trainer: Trainer, outcome: Outcome, base: Base, segmenter: PersonSegmenter, accumulation: int) -> Outcome:
    """The outcome after the reward stage, where the settings ask for it; else as it is."""
    if trainer.trainee.config.reward == "none":
        return outcome
    from portraitist.generate.config import DrawConfig
    from portraitist.generate.text import TextEngine
    from portraitist.identity.reward import RewardStage

    pipeline, sampling = trainer.trainee.denoiser.pipeline, base.sampling
    painter = Painter(TextEngine(pipeline, DrawConfig(), sampling.num_steps, sampling.guidance_scale))
    return RewardStage(trainer, painter, PROMPTS, segmenter, accumulation).run(outcome)


@dataclass(frozen=True)
class Painter:
    """Draws captions of the sitter batch by batch, with the adapters as they are now."""

    engine: TextEngine

    def __call__(self, captions: Sequence[str], seed: int) -> list[Image]:
        """One portrait a caption; portrait i is drawn from `derive(seed, i)`."""
        from portraitist.identity.trainee import with_trigger

        prompts, size, drawn = [with_trigger(caption) for caption in captions], self.engine.config.batch, []
        for first in range(0, len(prompts), size):
            drawn += self.engine.draw(prompts[first : first + size], "", seed, first)
        return drawn
