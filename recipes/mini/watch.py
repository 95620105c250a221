"""A stop for the base: when its samples are copies of training pictures more often than other people's faces are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from portraitist.progress import Report, Step
from portraitist.training.loop import Run
from recipes.mini.base import BaseTrainee
from recipes.mini.evaluate import held_out_captions, read_pack
from recipes.mini.measures.memory import memorised, nearest_pairs
from recipes.mini.measures.reading import PictureReader
from recipes.mini.pack import Pack
from recipes.mini.sampling import Draw, draw

SAMPLES = 64
TIMES = 2
"""Copies are too many when their share surely passes so many times what faces of other people reach."""


def copy_watch(trainee: BaseTrainee, held_out: Pack, cache: Path, every: int, report: Report) -> Callable[[Run], bool]:
    """A `should_stop` that draws samples every so many steps and compares them with the training pictures.

    The share's lower 95 % limit is held against twice the upper limit of training faces among other people's.
    """
    read = PictureReader.load()
    training = read_pack(trainee.pack, trainee.config.image_side, cache, read)
    people = trainee.pack.people
    others = memorised(nearest_pairs(training, training, people=people, people_training=people), people)
    captions = held_out_captions(held_out, SAMPLES)

    def has_too_many_copies(state: Run) -> bool:
        if state.step % every:
            return False
        with state.evaluated() as networks:
            pictures = draw(trainee, networks, Draw(captions, seed=4))
        found = memorised(nearest_pairs([read(picture) for picture in pictures], training))
        report(Step("watch", message=f"! step {state.step}: copies {found.copies}, others {others.copies}"))
        return found.copies.low > TIMES * others.copies.high

    return has_too_many_copies
