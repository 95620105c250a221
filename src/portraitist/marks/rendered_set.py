"""Rendered samples for training and for judging, on skins whose own marks are known and left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from portraitist.errors import InputError
from portraitist.geometry import apply
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.render import Rendered, covering, render_marks
from portraitist.marks.render_config import RenderConfig
from portraitist.marks.view import SkinView
from portraitist.types import derive


def rendered_samples(
    views: Sequence[SkinView], own: Sequence[Sequence[AnnotatedMark]], config: RenderConfig, seed: int
) -> Iterator[Rendered]:
    """Endless samples, one skin after the other; sample i draws from derive(seed, i) and is always the same.

    own: the real marks of each view, in its pixels (`marks_in_view`), doubted ones too. They are in `ignore` of each
    sample, where no mark is rendered. Raises InputError when there are no views, or not one list of marks for each.
    """
    if not views or len(views) != len(own):
        raise InputError(
            f"skins: expected views and one list of marks for each, found {len(views)} and {len(own)}; "
            "give a view without marks an empty list"
        )
    ignored = [covering(marks, view) for view, marks in zip(views, own, strict=True)]
    for index in count():
        skin = index % len(views)
        yield render_marks(views[skin], config, np.random.default_rng(derive(seed, index)), ignored[skin])


def marks_in_view(annotated: AnnotatedImage, view: SkinView) -> tuple[AnnotatedMark, ...]:
    """The marks of a photo in pixels of a view of it. A crowded region becomes a doubted spot as large as it is."""
    return tuple(
        replace(
            mark,
            points=apply(view.matrix, mark.points),
            diameter=None if mark.diameter is None else mark.diameter * view.scale,
        )
        for mark in (*annotated.marks, *_crowds(annotated))
    )


def _crowds(annotated: AnnotatedImage) -> Iterator[AnnotatedMark]:
    for polygon in annotated.crowded:
        middle = polygon.mean(axis=0, keepdims=True)
        reach = float(np.linalg.norm(polygon - middle, axis=1).max())
        yield AnnotatedMark("spot", middle, max(1.0, reach), is_sure=False)
