"""Is the translator still well? A collapsed one paints every photo alike."""

from __future__ import annotations

import json

import numpy as np
import torch

from portraitist.errors import EngineError
from portraitist.stylize.generator.watch import variety
from portraitist.stylize.translate.networks import TranslatorNetworks
from portraitist.stylize.translate.paint import translate
from portraitist.stylize.translate.training import TranslateTrainee
from portraitist.training.checkpoint import checkpoints, path_of
from portraitist.training.loop import Run

LOOKED_AT = 32
LEAST_VARIETY = 0.15
"""Of what was painted, over the drawings' own."""
FROM_STEP = 500
"""Before, a translator may paint everything grey."""


def measure_variety(state: Run, trainee: TranslateTrainee) -> float:
    """Mean distance between paintings of the first photos, over that between drawings."""
    with state.evaluated() as networks:
        assert isinstance(networks, TranslatorNetworks)
        painted = np.stack([picture for picture, _ in translate(networks.to_style, trainee.photos.images[:LOOKED_AT])])
    made, real = (
        torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
        for pictures in (painted, trainee.drawings.images[:LOOKED_AT])
    )
    return variety(made) / max(variety(real), 1e-9)


def guard(state: Run, trainee: TranslateTrainee) -> bool:
    """A `should_stop` of the loop: log the variety; on a collapse set the checkpoint just written aside and raise.

    Raises EngineError; the newest checkpoint is then the one before, the last good state.
    """
    found = measure_variety(state, trainee)
    with (state.folder / "watch.jsonl").open("a") as log:
        log.write(json.dumps({"step": state.step, "variety": round(found, 4)}) + "\n")
    if state.step >= FROM_STEP and found < LEAST_VARIETY:
        bad = path_of(state.folder, state.step)
        bad.rename(bad.with_name(f"lost-{bad.name}"))
        left = [path.stem for path in checkpoints(state.folder)]
        raise EngineError(
            f"{state.folder}: the translator has collapsed at step {state.step}: variety {found:.2f} of the drawings'; "
            f"kept {', '.join(left) or 'nothing'}. Lower learning_rate or raise cycle, and begin from there"
        )
    return False
