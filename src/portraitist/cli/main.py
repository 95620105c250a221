"""`portraitist`: parse the line, run one command, turn errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from portraitist import __version__
from portraitist.cli import (
    album,
    bases,
    bench,
    demo,
    doctor,
    erase,
    marks,
    painter,
    portraits,
    poses,
    replay,
    shoot,
    style,
    stylize,
    train,
    weights,
)
from portraitist.errors import (
    ConfigError,
    EngineError,
    InputError,
    PlacementError,
    PortraitistError,
    WeightsError,
)

GROUPS = (
    album,
    train,
    shoot,
    portraits,
    replay,
    erase,
    marks,
    style,
    stylize,
    painter,
    poses,
    bases,
    weights,
    doctor,
    demo,
    bench,
)
EXIT_CODES: tuple[tuple[type[PortraitistError], int], ...] = (
    (ConfigError, 2),
    (InputError, 3),
    (WeightsError, 4),
    (PlacementError, 5),
    (EngineError, 6),
)
"""0 done, 1 nothing came out or a check failed, 2 bad options, then these; 70 a bug of ours; 130 interrupted."""


class _Parser(argparse.ArgumentParser):
    """A mistyped option is answered in one line, with the place to look."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n(see '{self.prog} --help')\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. Imports nothing heavier than argparse, so `--help` is quick."""
    parser = _Parser(
        prog="portraitist",
        description="A few photos of one person in, portraits that are truly that person out.",
        epilog="Example: portraitist album add anna ~/photos/anna; portraitist shoot anna --backdrop studio-grey",
    )
    parser.add_argument("--version", action="version", version=f"portraitist {__version__}")
    _add_library(parser, None)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for group in GROUPS:
        group.register(commands)
    _everywhere(parser)
    return parser


def _everywhere(parser: argparse.ArgumentParser) -> None:
    """`--library` is understood after every subcommand too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in {id(p): p for p in action.choices.values()}.values():
                _add_library(child, argparse.SUPPRESS)
                _everywhere(child)


def _add_library(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--library",
        metavar="DIR",
        type=Path,
        default=default,
        help="where sitters are kept (default: PORTRAITIST_LIBRARY, else your data folder)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except PortraitistError as error:
        sys.stderr.write(f"portraitist: {error}\n")
        return exit_code(error)
    except KeyboardInterrupt:
        sys.stderr.write("portraitist: stopped; what was finished is kept, run the same line again to go on\n")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`); there is nothing left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        if os.environ.get("PORTRAITIST_DEBUG") == "1":
            raise
        sys.stderr.write(f"portraitist: a bug of ours, {type(error).__name__}: {error}\n")
        sys.stderr.write("run it again with PORTRAITIST_DEBUG=1 and report what it prints\n")
        return 70


def exit_code(error: PortraitistError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


if __name__ == "__main__":
    sys.exit(main())
