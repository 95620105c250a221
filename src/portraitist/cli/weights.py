"""`portraitist weights list|fetch|verify`."""

from __future__ import annotations

import argparse

from portraitist.cli.shared import Progress, add_json, say, say_json, table


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    parser = commands.add_parser("weights", help="model files: list (also without a verb), fetch, verify")
    add_json(parser)
    parser.set_defaults(run=run_list)
    group = parser.add_subparsers(metavar="VERB")
    listing = group.add_parser("list", help="every model with size, licence, origin and whether it is here")
    # Suppressed: its default would take back a --json given before the verb.
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead of a table")
    listing.set_defaults(run=run_list)
    for name, run, words in (("fetch", run_fetch, "download"), ("verify", run_verify, "check the digests of")):
        verb = group.add_parser(name, help=f"{words} models (all without names)")
        verb.add_argument("names", nargs="*", metavar="NAME")
        verb.set_defaults(run=run)


def run_list(parsed: argparse.Namespace) -> int:
    """List the table."""
    from portraitist import weights

    rows = [(r, weights.local_path(r.name)) for r in weights.TABLE.values()]
    if parsed.json:
        say_json([{"name": r.name, "sha256": r.sha256, "bytes": r.size, "licence": r.licence, "origin": r.origin,
                   "path": str(path) if path else None} for r, path in rows])  # fmt: skip
        return 0
    table(
        ("name", "MB", "licence", "origin", "here"),
        [(r.name, f"{(r.size or 0) / 1e6:.1f}", r.licence, r.origin, "yes" if path else "no") for r, path in rows],
    )
    return 0


def run_fetch(parsed: argparse.Namespace) -> int:
    """Download what is missing."""
    from portraitist import weights

    progress = Progress()
    for name in parsed.names or weights.TABLE:
        path = weights.fetch(name, progress)
        progress.close()
        say(f"{name}: {path}")
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
