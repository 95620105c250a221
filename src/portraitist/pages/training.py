"""The page of a training: its curves, what each checkpoint drew, how long it will take, and what was kept.

It is written anew while the training goes on, and asks the browser to load it again until it has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portraitist.pages.charts import Line, Point, line_chart
from portraitist.pages.html import render

RELOAD_SECONDS = 5


@dataclass(frozen=True)
class Shot:
    """One picture of a checkpoint. src: relative to the page. words: under it."""

    src: str
    words: str
    is_copy: bool = False


@dataclass(frozen=True)
class CheckRow:
    """One checkpoint: its measures in words, its pictures, and what became of it (empty: nothing yet)."""

    title: str
    measures: str
    shots: Sequence[Shot] = ()
    fate: str = ""


@dataclass(frozen=True)
class TrainingView:
    """What the page shows. seconds_left: None while nobody knows. curves: by title. has_ended: it will not change any
    more. said: sentences about what was kept, or why it stopped. written: the time of day."""

    title: str
    step: int
    total: int
    seconds_left: float | None
    written: str
    curves: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    rows: Sequence[CheckRow] = ()
    said: Sequence[str] = ()
    has_ended: bool = False


def training_page(view: TrainingView) -> str:
    """The page as HTML. Nothing in it is loaded but the pictures beside it."""
    charts = [(title, lines, line_chart(lines, title=title, most_x=view.total)) for title, lines in view.curves.items()]
    left = None if view.seconds_left is None else in_words(view.seconds_left)
    return render("training.html", view=view, charts=charts, left=left, reload=RELOAD_SECONDS)


def in_words(seconds: float) -> str:
    """A duration as somebody would say it.

    >>> [in_words(s) for s in (42, 150, 7300)]
    ['42 s', '2 min 30 s', '2 h 1 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def thinned(points: Sequence[Point], most: int = 200) -> list[Point]:
    """At most `most` points: means over equal runs, at the x where each ends."""
    size = -(-len(points) // most) or 1
    runs = [points[start : start + size] for start in range(0, len(points), size)]
    return [(run[-1][0], sum(y for _, y in run) / len(run)) for run in runs]
