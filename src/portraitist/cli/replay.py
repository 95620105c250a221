"""`portraitist replay`: the same image again."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.cli.shared import Progress, add_json, open_library, say, say_json


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("replay", help="make the image of a recipe again and say whether it is identical")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.json", help="a recipe, or the portrait beside it")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="where to (default: replay/ beside the recipe)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Replay; 1 when the pixels differ."""
    from portraitist.tasks.replay import replay

    progress = Progress()
    done = replay(open_library(parsed), parsed.recipe, out=parsed.out, report=progress)
    progress.close()
    if parsed.json:
        say_json({"file": str(done.path), "identical": done.identical, "differences": list(done.differences)})
    else:
        say(f"{done.path}: {'identical to the first image' if done.identical else 'differs from the first image'}")
        for difference in done.differences:
            say(f"  {difference}")
    return 0 if done.identical else 1
