"""`portraitist marks map|show|edit|check`: the marks of a sitter."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.cli.shared import Progress, add_json, open_library, say, say_json, table
from portraitist.marks.config import DETECTOR

if TYPE_CHECKING:
    from portraitist.marks.map import MarksMap
    from portraitist.marks.mark import Mark

_ACTIONS = ("keep", "soften", "remove")


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs to the group."""
    mapping = verbs.add_parser("map", help="find the marks of a sitter in every photo of the album")
    _add_sitter(mapping)
    _add_detector(mapping)
    mapping.set_defaults(run=run_map)
    showing = verbs.add_parser("show", help="the sitter's map")
    _add_sitter(showing)
    showing.set_defaults(run=run_show)
    editing = verbs.add_parser(
        "edit",
        help="say what portraits do with a mark: keep, soften or remove it",
        epilog="Example: portraitist marks edit anna --soften wrinkle-3f21aa --remove pimple-0c9d11",
    )
    _add_sitter(editing)
    for action in _ACTIONS:
        editing.add_argument(f"--{action}", nargs="+", default=[], metavar="ID", help=f"marks to {action}")
    editing.set_defaults(run=run_edit)
    checking = verbs.add_parser("check", help="which of the sitter's marks a portrait has, lacks and invents")
    _add_sitter(checking)
    checking.add_argument("portrait", type=Path, metavar="PORTRAIT")
    _add_detector(checking)
    checking.set_defaults(run=run_check)


def _add_sitter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sitter", metavar="SITTER")
    add_json(parser)


def _add_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector",
        default=DETECTOR,
        metavar="NAME",
        help=f"network, classical, or auto: network where its weights are ({DETECTOR})",
    )


def run_map(parsed: argparse.Namespace) -> int:
    """Map and list."""
    from portraitist.tasks.map_marks import map_marks
    from portraitist.tasks.marks_page import write_marks_page

    library, progress = open_library(parsed), Progress()
    found = map_marks(library, parsed.sitter, parsed.detector, report=progress)
    progress.close()
    _print(found, parsed.json, write_marks_page(library, parsed.sitter, found))
    return 0


def run_show(parsed: argparse.Namespace) -> int:
    """List."""
    from portraitist.tasks.check_marks import map_of_sitter

    _print(map_of_sitter(open_library(parsed), parsed.sitter), parsed.json)
    return 0


def run_edit(parsed: argparse.Namespace) -> int:
    """Switch the marks that are named, all or none."""
    from portraitist.marks.map import write_map
    from portraitist.tasks.check_marks import map_of_sitter
    from portraitist.tasks.marks_page import write_marks_page

    library = open_library(parsed)
    known = map_of_sitter(library, parsed.sitter)
    for action in _ACTIONS:
        for mark_id in getattr(parsed, action):
            known = known.with_action(mark_id, action)  # type: ignore[arg-type]
    write_map(known, library.sitter(parsed.sitter).marks_dir)
    _print(known, parsed.json, write_marks_page(library, parsed.sitter, known))
    return 0


def run_check(parsed: argparse.Namespace) -> int:
    """Compare a portrait with the map; 1 when one of the sitter's marks is missing."""
    from dataclasses import asdict

    from portraitist.tasks.check_marks import check_portrait

    verdict = check_portrait(open_library(parsed), parsed.sitter, parsed.portrait, parsed.detector)
    if parsed.json:
        say_json(asdict(verdict))
    else:
        for word in ("found", "missing", "hidden", "invented"):
            say(f"{word}: {', '.join(getattr(verdict, word)) or 'none'}")
        say(f"score: {verdict.score:.2f}")
    return 1 if verdict.missing else 0


def _print(known: MarksMap, as_json: bool, page: Path | None = None) -> None:
    if as_json:
        say_json([_row(mark) for mark in known.all])
        return
    rows = [_row(mark) for mark in known.all]
    head = ("mark", "mm", "confidence", "photos", "does", "")
    shown = [(r["mark"], f"{r['mm']:.1f}", f"{r['confidence']:.2f}", r["photos"], r["does"], r["note"]) for r in rows]
    table(head, shown)
    say(f"{len(known.marks)} marks and {len(known.wrinkles)} wrinkles in {len(known.photos)} photos")
    if known.mirrored:
        say(f"mirrored photos: {', '.join(digest[:8] for digest in known.mirrored)}")
    if page is not None:
        say(f"page: {page}")


def _row(mark: Mark) -> dict[str, Any]:
    from portraitist.marks.mark import PointMark

    size = mark.diameter_mm if isinstance(mark, PointMark) else max(mark.width_mm)
    note = "one photo only" if mark.is_flagged else ""
    shown = {"mark": mark.mark_id, "kind": mark.kind, "mm": round(size, 2), "confidence": round(mark.confidence, 3)}
    return {**shown, "photos": len(mark.seen_in), "does": mark.action, "note": note}
