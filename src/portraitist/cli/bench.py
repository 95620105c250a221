"""`portraitist bench`: how fast this machine is at the steps a portrait is made of."""

from __future__ import annotations

import argparse

from portraitist.cli.shared import Progress, add_json, say_json, table


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("bench", help="time the steps a portrait is made of, on this machine")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs a step, median shown (default 5)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Time and print."""
    from portraitist.tasks.bench import time_steps

    progress = Progress()
    rows = time_steps(max(1, parsed.repeats), progress)
    progress.close()
    if parsed.json:
        say_json([{"step": name, "seconds": seconds} for name, seconds in rows])
    else:
        table(("step", "median"), [(name, f"{seconds * 1000:.1f} ms") for name, seconds in rows])
    return 0
