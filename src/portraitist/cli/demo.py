"""`portraitist demo`: portraits of two public-domain people, on one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.cli.shared import Progress, say


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("demo", help="make portraits of two public-domain people and a page that shows them")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("demo-out"), help="where to (default demo-out)")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Make the demo and say where it is."""
    from portraitist.tasks.demo import make_demo

    progress = Progress()
    made = make_demo(parsed.out, report=progress)
    progress.close()
    for path in made.pictures:
        say(f"  {path}")
    say(f"{len(made.pictures)} pictures in {made.seconds:.1f} s; open {made.page.resolve()}")
    return 0
