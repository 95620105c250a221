"""`portraitist erase`: everything of one person."""

from __future__ import annotations

import argparse

from portraitist.cli.shared import add_json, confirmed, open_library, say, say_json


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("erase", help="remove everything of a person, with a log of what was removed")
    parser.add_argument("sitter", help="name of the person, or the id of an unnamed sitter")
    parser.add_argument("--yes", action="store_true", help="do not ask (needed where nobody can be asked)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Erase and print the log; 1 when the user did not agree."""
    from portraitist.tasks.erase import erase, what_would_go

    library = open_library(parsed)
    paths = what_would_go(library, parsed.sitter)
    if not parsed.yes and not confirmed(f"Remove {len(paths)} files of '{parsed.sitter}' for good?"):
        say(f"nothing removed: {len(paths)} files would go; say --yes to remove them")
        return 1
    log = erase(library, parsed.sitter)
    if parsed.json:
        say_json(log)
    else:
        for path in log["removed"]:
            say(f"removed {path}")
        say(f"{len(log['removed'])} files of '{parsed.sitter}' are gone; the original photos were not touched")
    return 0
