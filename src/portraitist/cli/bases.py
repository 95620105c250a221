"""`portraitist bases list|fetch`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from portraitist.cli.shared import Progress, add_json, open_library, say, say_json, table

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    parser = commands.add_parser("bases", help="models that draw: list (also without a verb), fetch")
    add_json(parser)
    parser.set_defaults(run=run_list)
    group = parser.add_subparsers(metavar="VERB")
    listing = group.add_parser("list", help="every base with licence, memory presets and whether it is here")
    # Suppressed: its default would take back a --json given before the verb.
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead of a table")
    listing.set_defaults(run=run_list)
    fetching = group.add_parser("fetch", help="download bases; of those that are here, check the digests")
    fetching.add_argument("names", nargs="+", metavar="NAME")
    fetching.add_argument(
        "--mirror",
        metavar="HUB",
        help="'modelscope' or the address of a mirror (default: PORTRAITIST_HUB, else huggingface_hub's own)",
    )
    fetching.add_argument("--accept-nc", action="store_true", help="do what 'weights accept-nc' does first")
    fetching.set_defaults(run=run_fetch)


def run_list(parsed: argparse.Namespace) -> int:
    """List the table."""
    from portraitist.diffusion.bases import BASES

    if parsed.json:
        say_json([_facts(base) for base in BASES.values()])
        return 0
    rows = [_facts(base) for base in BASES.values()]
    table(
        ("name", "licence", "px", "presets", "here", "from", "agree", "note"),
        [(r["name"], r["licence"], r["resolution"], ",".join(p["name"] for p in r["presets"]), _here(r),
          r["repository"] or "this project", "yes" if r["terms"] else "", r["note"]) for r in rows],
    )  # fmt: skip
    for row in rows:
        if row["terms"]:
            say(f"{row['name']}: {row['terms']}")
    return 0


def run_fetch(parsed: argparse.Namespace) -> int:
    """Download what is missing; 1 when something that is here has another digest than at its first download."""
    from portraitist.diffusion.bases import BASES
    from portraitist.errors import InputError

    unknown = [name for name in parsed.names if name not in BASES]
    if unknown:
        raise InputError(f"base '{unknown[0]}': expected one of {', '.join(BASES)}; a local model needs no fetching")
    bases = [BASES[name] for name in parsed.names]
    _agree(parsed, bases)
    return 0 if all([_fetch(base, parsed.mirror) for base in bases]) else 1


def _agree(parsed: argparse.Namespace, bases: list[Base]) -> None:
    """Weights marked `nc` need the library's acceptance before anything is downloaded."""
    from portraitist import weights
    from portraitist.diffusion.bases_files import MINI_WEIGHTS
    from portraitist.licences import require_accepted

    library = open_library(parsed)
    if parsed.accept_nc:
        library.accept_noncommercial("command line, bases fetch --accept-nc")
    if any(base.repository is None for base in bases) and MINI_WEIGHTS in weights.TABLE:
        require_accepted(library, MINI_WEIGHTS)


def _fetch(base: Base, mirror: str | None) -> bool:
    """Fetch one base and say where it is; False when a file changed since its first download."""
    from portraitist.diffusion.bases_files import base_record, fetch_base, local_folder, verify_base

    was_here = local_folder(base) is not None
    progress = Progress()
    path = fetch_base(base, progress, mirror=mirror)
    progress.close()
    if was_here and not verify_base(base):
        say(f"{base.name}: CHANGED; remove {path} and fetch it again")
        return False
    record = base_record(base)
    origin = f", revision {record.revision} of {record.repository}, {record.size / 1e6:.1f} MB" if record else ""
    say(f"{base.name}: {'digests ok' if was_here else 'fetched'}, {path}{origin}")
    if base.terms:
        say(f"{base.name}: {base.licence}; {base.terms}")
    return True


def _facts(base: Base) -> dict[str, Any]:
    """The row as JSON, with where it is."""
    from dataclasses import asdict

    from portraitist.diffusion.bases_files import base_record, local_folder

    record, folder = base_record(base), local_folder(base)
    facts = {**asdict(base), "here": str(folder) if folder else None, "bytes": record.size if record else None}
    # The table names no revision: what counts is the one that was downloaded.
    return {**facts, "revision": record.revision if record else base.revision, "hub": record.hub if record else None}


def _here(facts: dict[str, Any]) -> str:
    if facts["here"] is None:
        return "no"
    return f"{facts['bytes'] / 1e6:.1f} MB" if facts["bytes"] else "yes"
