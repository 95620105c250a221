"""Views with rendered marks, on disk, for the detector to learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from portraitist.errors import InputError
from portraitist.marks.labelled import LabelledFolder, LabelledView, write_labelled
from portraitist.marks.render import covering, render_marks
from portraitist.marks.render_config import TRAINING, RenderConfig
from portraitist.progress import Report, Step, silent

ANNOTATED = 0.25
"""Share of training views that are annotated photos as they are, where there are rendered ones besides."""


def render_views(
    skins: LabelledFolder,
    folder: Path,
    count: int,
    seed: int,
    config: RenderConfig = TRAINING,
    report: Report = silent,
) -> LabelledFolder:
    """`count` views in the folder, each a skin in turn with marks rendered onto it; those already there are kept.

    View n depends on the seed and n alone, so the first hundred of a thousand are the same as a hundred. What is
    marked on a skin already stays marked, and nothing is rendered over it. Raises InputError without skins.
    """
    if count and not len(skins):
        raise InputError("rendering: expected views of faces to render marks onto, found none; give photos of faces")
    paths = tuple(folder / f"rendered-{seed}-{number:06d}.npz" for number in range(count))
    for number, path in enumerate(paths):
        if not path.is_file():
            rng = np.random.default_rng([seed, number])
            write_labelled(path, rendered(skins[number % len(skins)], config, rng))
        report(Step("rendering", number + 1, count))
    return LabelledFolder(paths)


def mixed(rendered: LabelledFolder, annotated: LabelledFolder) -> LabelledFolder:
    """Both, annotated views repeated until they are about `ANNOTATED` of all: only they show what real skin has that
    is no mark."""
    wanted = ANNOTATED / (1 - ANNOTATED) * len(rendered)
    times = max(1, round(wanted / len(annotated))) if len(annotated) else 0
    return LabelledFolder((*rendered.paths, *(times * annotated.paths)))


def rendered(skin: LabelledView, config: RenderConfig, rng: np.random.Generator) -> LabelledView:
    """The view with more marks."""
    taken = np.maximum(skin.ignore, covering(skin.marks, skin.view))
    made = render_marks(skin.view, config, rng, taken)
    # The renderer's mask also covers the sure marks that were there, which are to be learned.
    return replace(skin, view=made.view, marks=(*skin.marks, *made.marks))
