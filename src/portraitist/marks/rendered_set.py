"""Views with rendered marks for measuring detectors: on skins whose own marks are known and left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from portraitist.errors import InputError
from portraitist.marks.labelled import LabelledView
from portraitist.marks.render import covering, render_marks
from portraitist.marks.render_config import JUDGING, RenderConfig
from portraitist.types import derive


def rendered_samples(
    skins: Sequence[LabelledView], seed: int, config: RenderConfig = JUDGING
) -> Iterator[LabelledView]:
    """Endless samples, one skin after the other; sample i draws from derive(seed, i) and is always the same.

    marks: the rendered ones only. What is marked on a skin already, sure or not, is in `ignore`, with a millimetre
    around it: there is neither a hit nor a false mark, and nothing is rendered. Raises InputError without skins.
    """
    if not skins:
        raise InputError("rendering: expected views of faces to render marks onto, found none; give photos of faces")
    taken = [np.maximum(skin.ignore, covering(skin.marks, skin.view)) for skin in skins]
    for index in count():
        skin = skins[index % len(skins)]
        made = render_marks(skin.view, config, np.random.default_rng(derive(seed, index)), taken[index % len(skins)])
        yield LabelledView(made.view, made.marks, made.ignore, skin.name)
