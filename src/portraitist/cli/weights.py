"""`portraitist weights list|fetch|verify|accept-nc`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from portraitist.cli.shared import Progress, add_json, open_library, say, say_json, table

if TYPE_CHECKING:
    from portraitist.library import Library


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    parser = commands.add_parser("weights", help="model files: list (also without a verb), fetch, verify, accept-nc")
    add_json(parser)
    parser.set_defaults(run=run_list)
    group = parser.add_subparsers(metavar="VERB")
    listing = group.add_parser("list", help="every model with size, licence, origin and whether it is here")
    # Suppressed: its default would take back a --json given before the verb.
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead of a table")
    listing.set_defaults(run=run_list)
    fetching = group.add_parser("fetch", help="download models (without names: all that this library accepts)")
    fetching.add_argument("names", nargs="*", metavar="NAME")
    fetching.add_argument("--accept-nc", action="store_true", help="do what 'weights accept-nc' does first")
    fetching.set_defaults(run=run_fetch)
    checking = group.add_parser("verify", help="check the digests of models (without names: all that are here)")
    checking.add_argument("names", nargs="*", metavar="NAME")
    checking.set_defaults(run=run_verify)
    accepting = group.add_parser(
        "accept-nc", help="say once that what models marked nc make in this library is not used commercially"
    )
    accepting.set_defaults(run=run_accept)


def run_list(parsed: argparse.Namespace) -> int:
    """List the table."""
    from portraitist import weights

    rows = [(r, weights.local_path(r.name)) for r in weights.TABLE.values()]
    accepted = open_library(parsed).accepts_noncommercial
    if parsed.json:
        say_json([{"name": r.name, "sha256": r.sha256, "bytes": r.size, "licence": r.licence, "origin": r.origin,
                   "noncommercial": r.noncommercial, "accepted": accepted if r.noncommercial else None,
                   "path": str(path) if path else None} for r, path in rows])  # fmt: skip
        return 0
    mark = "nc, accepted" if accepted else "nc, not accepted"
    table(
        ("name", "MB", "licence", "use", "origin", "here"),
        [(r.name, f"{(r.size or 0) / 1e6:.1f}", r.licence, mark if r.noncommercial else "", r.origin,
          "yes" if path else "no") for r, path in rows],
    )  # fmt: skip
    return 0


def run_fetch(parsed: argparse.Namespace) -> int:
    """Download what is missing. Named weights marked `nc` need acceptance; without names they are left out."""
    from portraitist import weights
    from portraitist.licences import require_accepted

    library, rows = open_library(parsed), [weights.row(name) for name in parsed.names]
    if parsed.accept_nc:
        library.accept_noncommercial("command line, weights fetch --accept-nc")
    for row in rows:
        require_accepted(library, row.name)
    progress = Progress()
    for name in parsed.names or _fetchable(library):
        path = weights.fetch(name, progress)
        progress.close()
        say(f"{name}: {path}")
    return 0


def _fetchable(library: Library) -> list[str]:
    """Every row but those that cannot or may not be fetched, and a line about each of these."""
    from portraitist import weights
    from portraitist.licences import is_accepted

    names = []
    for name in weights.TABLE:
        if not is_accepted(library, name):
            say(f"{name}: left out, marked nc (not for commercial use); 'portraitist weights accept-nc' accepts that")
        elif not weights.has_source(name):
            say(f"{name}: left out, neither here nor at an address known; PORTRAITIST_WEIGHTS may name one")
        else:
            names.append(name)
    return names


def run_accept(parsed: argparse.Namespace) -> int:
    """Record the acceptance in the library."""
    from portraitist import weights

    library = open_library(parsed)
    library.accept_noncommercial("command line, weights accept-nc")
    marked = ", ".join(row.name for row in weights.TABLE.values() if row.noncommercial)
    say(f"noted in {library.root}: pictures made with {marked} are not used commercially")
    return 0


def run_verify(parsed: argparse.Namespace) -> int:
    """Check digests; 1 when one differs. Without names, the files that are here."""
    from portraitist import weights

    names = parsed.names or [name for name in weights.TABLE if weights.local_path(name)]
    results = {name: weights.verify(name) for name in names}
    for name, intact in results.items():
        say(f"{name}: {'ok' if intact else 'CHANGED; remove it and fetch it again'}")
    if not results:
        say("no weights are on this machine yet")
    return 0 if all(results.values()) else 1
