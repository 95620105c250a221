"""A LoRA of real faces: the tune people together, on portrait-mini, without a word of its own.

A sitter's LoRA can begin from it instead of from nothing (ablation "prior").
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.identity_albums import Person, reference
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.captions import caption, describe
from portraitist.diffusion.face_facts import FactReader
from portraitist.diffusion.lora_adapters import take
from portraitist.diffusion.lora_formats import write_lora
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto, training_photo
from portraitist.identity.trainee import ADAPTER
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report
from portraitist.tasks.train import lora_trainee, open_base
from portraitist.training.config import LoopConfig
from portraitist.training.loop import Pace, run

STEPS = 1000
PHOTOS_EACH = 4
"""Of one person, so that those with long albums do not fill it."""


def learn_prior(people: list[Person], path: Path, library: Library, report: Report, *, steps: int = STEPS) -> Path:
    """Write the LoRA to `path`, unless it is there; a run that was stopped goes on."""
    if path.exists():
        return path
    library.accept_noncommercial("benchmark")
    base, config = find_base("mini"), IdentityConfig()
    memory = open_base(base, config, Placement(), library=library)
    photos = list(_photos(people, base.training.resolution, config))
    trainee = lora_trainee(base, config, photos, memory, trigger="")
    loop = LoopConfig(
        learning_rate=trainee.lora.learning_rate, warm_up=10, decay_after=0, beta2=0.999, ema_width=0, seed=config.seed
    )
    folder = path.with_suffix(".run")
    run(trainee, folder, loop, Pace(steps, save_every=100), build_optimizer=memory.build_optimizer, report=report)
    write_lora(path, take(memory.pipeline, ADAPTER), {"steps": str(steps), "noncommercial": "True"})
    shutil.rmtree(folder)
    return path


def _photos(people: list[Person], side: int, config: IdentityConfig) -> Iterator[TrainingPhoto]:
    words = FactReader.load()
    for person in people:
        for path in person.photos[:PHOTOS_EACH]:
            found = reference(path, words.faces)
            if found is None:
                continue
            text = caption(describe(words.facts(found.picture.pixels(), found.face)))
            yield training_photo(found, text, side, config, words.person)
