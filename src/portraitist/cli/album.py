"""`portraitist album add|show`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from portraitist.album.config import AlbumConfig
from portraitist.cli.flags import add_flags, given
from portraitist.cli.shared import Progress, add_json, ask_consent, open_library, say, say_json, table

if TYPE_CHECKING:
    from portraitist.album.values import Album


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    group = commands.add_parser("album", help="prepare a sitter's photos").add_subparsers(metavar="VERB", required=True)
    add = group.add_parser("add", help="photos and videos: scan, cull, crop; kept and rejected with reasons")
    add.add_argument("sitter", help="name of the person")
    add.add_argument("paths", nargs="+", metavar="PATH", help="photos, videos or folders")
    add.add_argument("--consent", metavar="NAME", help="who agreed that these photos are used (asked once otherwise)")
    add.add_argument("--me", metavar="PHOTO", help="a photo of the sitter alone, when there is no majority person")
    add_json(add)
    add_flags(add, AlbumConfig, "reading and ranking")
    add.set_defaults(run=run_add)
    show = group.add_parser("show", help="the album, its report and its contact sheet")
    show.add_argument("sitter", help="name of the person")
    add_json(show)
    show.set_defaults(run=run_show)


def run_add(parsed: argparse.Namespace) -> int:
    """Add photos and print what was kept; 1 when nothing of the sitter was."""
    from portraitist.tasks.add import add

    library = open_library(parsed)
    known = library.has_sitter(parsed.sitter)
    consent = None if known else ask_consent(parsed.sitter, parsed.consent)
    progress = Progress()
    config = given(parsed, AlbumConfig)
    album = add(library, parsed.sitter, parsed.paths, config, consent=consent, me=parsed.me, report=progress)
    progress.close()
    _print(album, parsed.json)
    return 0 if album.accepted else 1


def run_show(parsed: argparse.Namespace) -> int:
    """Print the album and where its report is."""
    from portraitist.album import store

    _print(store.load(open_library(parsed).sitter(parsed.sitter).album_dir), parsed.json)
    return 0


def _print(album: Album, as_json: bool) -> None:
    from portraitist.album import store

    if as_json:
        say_json({**store.to_json(album), "report": str(album.folder / "report.html")})
        return
    best = album.reference
    kept = [("reference" if p is best else "kept", p.file, f"{p.score:.2f}", p.caption) for p in album.accepted]
    rejected = [("rejected", r.file, "", r.reason) for r in album.rejected]
    table(("", "file", "score", "what"), [*kept, *rejected])
    for advice in album.coverage.advice:
        say(f"advice: {advice}")
    say(f"{len(album.accepted)} kept, {len(album.rejected)} rejected; report: {album.folder / 'report.html'}")
