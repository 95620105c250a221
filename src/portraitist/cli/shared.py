"""What every command needs: the library, output as text or JSON, progress, and questions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from portraitist.progress import Step

if TYPE_CHECKING:
    from portraitist.library import Consent, Library
    from portraitist.placement import Placement


def open_library(parsed: argparse.Namespace) -> Library:
    """The library of `--library`, PORTRAITIST_LIBRARY, or the user's data folder."""
    from portraitist.library import Library

    return Library(parsed.library)


def placement_of(parsed: argparse.Namespace) -> Placement | None:
    """The device of `--device`, None where it was not given."""
    from portraitist.placement import Placement

    return Placement(parsed.device) if parsed.device else None


def add_json(parser: argparse.ArgumentParser) -> None:
    """The `--json` of every listing."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def say(text: str) -> None:
    """One line to standard output."""
    sys.stdout.write(text + "\n")


def say_json(value: Any) -> None:
    """JSON to standard output."""
    say(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table with aligned columns."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(head))]
    for row in texts:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """Steps on standard error: one line that rewrites itself on a terminal, plain lines elsewhere, thinned out."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last: tuple[str, int] | None = None

    def __call__(self, step: Step, /) -> None:
        if step.stage == "page":
            # Where to look meanwhile: stays on the screen.
            self.close()
            sys.stderr.write(f"live: {step.message}\n")
            return
        tenth = step.done * 10 // step.total if step.total else step.done
        if not self._live and (step.stage, tenth) == self._last:
            return
        self._last = (step.stage, tenth)
        count = f" {step.done}/{step.total}" if step.total else ""
        line = f"{step.stage}{count} {step.message}{_pace(step)}".rstrip()
        sys.stderr.write(f"\r\x1b[K{line[:110]}" if self._live else line + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line that rewrites itself."""
        if self._live and self._last is not None:
            sys.stderr.write("\r\x1b[K")


def _pace(step: Step) -> str:
    """What one takes and how long all will, as far as it was measured."""
    each = "" if step.seconds is None else f", {step.seconds:.3g} s each"
    if step.remaining is None:
        return each
    from portraitist.pages.training import in_words

    return f"{each}, {in_words(step.remaining)} left"


def ask_consent(name: str, given: str | None) -> Consent | None:
    """Who agreed: the `--consent` flag, else a question on the terminal, else None (the task then refuses)."""
    from portraitist.library import Consent

    if given is not None:
        return Consent.now(given, "command line, --consent")
    if not sys.stdin or not sys.stdin.isatty():
        return None
    sys.stderr.write(f"'{name}' is new. Who agreed that these photos are used to make portraits? Name: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    return Consent.now(answer, "command line, asked") if answer else None


def confirmed(question: str) -> bool:
    """A yes on the terminal; False where nobody can be asked."""
    if not sys.stdin or not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
