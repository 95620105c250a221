"""How much of a sitter's skin is found, and kept: marks found, marks carried over, fine detail of the skin.

    python -m benchmarks.marks detection --data ../shared/data --out FOLDER --detector classical network
    python -m benchmarks.marks transfer --data ../shared/data --out FOLDER
    python -m benchmarks.marks detail --data ../shared/data --out FOLDER [--identity LIBRARY NAME]

From the repository's root. One JSON file a face is written to FOLDER; the same command skips what is there, so a
stopped run goes on with the next face. A FOLDER belongs to one version of the program. Tables are printed as Markdown,
and written to FOLDER. What each figure is, is said where it is computed: marks/scoring.py, and beside this file
marks_again.py and marks_texture.py.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.marks_detail import detail
from benchmarks.marks_detection import detection
from benchmarks.marks_transfer import transfer
from portraitist.library import write_atomic

COMMANDS: dict[str, Callable[[argparse.Namespace, Path], str]] = {
    "detection": detection,
    "transfer": transfer,
    "detail": detail,
}


def main() -> None:
    """Measure what is missing, then print the table of everything that is there."""
    args = parser().parse_args()
    if args.out is not None:
        _run(args, args.out)
        return
    with tempfile.TemporaryDirectory(prefix="marks-") as folder:
        _run(args, Path(folder))


def _run(args: argparse.Namespace, folder: Path) -> None:
    text = COMMANDS[args.command](args, folder)
    print(text)
    write_atomic(folder / f"{args.command}.md", text.encode())


def parser() -> argparse.ArgumentParser:
    """The options of all three commands."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = made.add_subparsers(dest="command", required=True)
    found, carried, fine = (commands.add_parser(name) for name in COMMANDS)
    for command in (found, carried, fine):
        command.add_argument("--data", type=Path, required=True, help="the development data, with SPLIT.csv")
        command.add_argument("--out", type=Path, help="results, outside the repository; without it nothing is kept")
    found.add_argument("--limit", type=int, help="only the first so many rendered faces and photos")
    found.add_argument("--samples", type=int, default=200, help="rendered faces")
    found.add_argument("--detector", nargs="+", default=["classical", "network"], help="engines of the task 'marks'")
    for command in (carried, fine):
        command.add_argument("--limit", type=int, help="only the first so many people")
        command.add_argument("--split", choices=("judge", "tune"), default="judge")
    fine.add_argument("--identity", nargs=2, metavar=("LIBRARY", "NAME"), help="measure what `lora` makes of them too")
    return made


if __name__ == "__main__":
    main()
