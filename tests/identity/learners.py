"""One process of several that learn a sitter on tiny weights: `python -m tests.identity.learners FOLDER STEPS`.

Writes the adapters it ends with to FOLDER/lora-INDEX.safetensors, and the main one what it chose to chosen.safetensors.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from portraitist.diffusion.denoisers import denoiser_of
from portraitist.diffusion.lora_adapters import take
from portraitist.diffusion.lora_formats import write_lora
from portraitist.identity.train import Trainer
from portraitist.identity.trainee import ADAPTER, LoraTrainee
from portraitist.training.processes import Processes
from tests.diffusion.tiny_bases import tiny_pipeline
from tests.identity.test_train import CONFIG, LORA, photos, trainer

# The rate of a real base: at the tests' usual one AdamW makes a rounding error in a small gradient a hundred times it.
REAL = replace(LORA, learning_rate=1e-4, text_learning_rate=5e-5)
PASSES = 4


def learner(folder: Path) -> Trainer:
    """On the tiny base."""
    return trainer(folder, LoraTrainee(denoiser_of(tiny_pipeline("mini")), photos(), REAL, CONFIG, "mini"))


def main(folder: Path, steps: int) -> None:
    """Learn, and choose on the main process."""
    processes = Processes.join(None)
    made = learner(folder)
    made.processes = processes
    outcome = made.run(steps, PASSES)
    adapters = take(made.trainee.denoiser.pipeline, ADAPTER)
    write_lora(folder / f"lora-{processes.index}.safetensors", adapters, {})
    if outcome is not None:
        write_lora(folder / "chosen.safetensors", outcome.lora, {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
