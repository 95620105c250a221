"""`portraitist marks convert`: annotations from one format into another."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.cli.shared import say
from portraitist.errors import InputError

FORMATS = ("own", "coco")


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the group."""
    parser = verbs.add_parser(
        "convert",
        help="annotations of whale-anno, COCO or our own, into COCO or our own",
        epilog="Example: portraitist marks convert export.json --images photos --to coco --out marks-coco.json",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the photos (default: beside FILE)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="YAML or JSON: which label is which kind")
    parser.add_argument("--to", choices=FORMATS, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Read, write, and say what could not be read; 1 when nothing was left to write."""
    from portraitist.marks.formats import read_annotations
    from portraitist.marks.formats.coco import write_coco
    from portraitist.marks.formats.own import write_own

    if parsed.out.resolve() == parsed.file.resolve():
        raise InputError(f"{parsed.out}: expected another file than the one that is read; choose another --out")
    imported = read_annotations(parsed.file, labels=parsed.labels, images=parsed.images)
    for problem in imported.problems:
        say(f"left out: {problem}")
    if not imported.images:
        say("no photo could be read: nothing was written")
        return 1
    (write_coco if parsed.to == "coco" else write_own)(parsed.out, imported.images)
    say(f"{len(imported.images)} photos, {sum(len(i.marks) for i in imported.images)} marks: {parsed.out}")
    return 0
