"""Progress goes to a `Report`, never to the screen: doors decide how to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Step:
    """One piece of progress: `done` of `total` (`total` 0 when unknown) in a named `stage`.

    seconds: what one of them takes of late. remaining: seconds until `total`. Both None where nobody measures.
    """

    stage: str
    done: int = 0
    total: int = 0
    message: str = ""
    seconds: float | None = None
    remaining: float | None = None


class Report(Protocol):
    """Anything that can be called with a `Step`."""

    def __call__(self, step: Step, /) -> None: ...


def silent(step: Step, /) -> None:
    """A report that drops everything: the default of the library."""
