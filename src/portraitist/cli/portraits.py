"""`portraitist portraits`: what was made, with likeness."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from portraitist.cli.shared import add_json, open_library, say_json, table

if TYPE_CHECKING:
    from portraitist.provenance import SavedPortrait


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("portraits", help="list portraits, with likeness")
    parser.add_argument("sitter", nargs="?", help="name of the person (all without)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """List the portraits of one sitter or of all, the most alike first."""
    from portraitist.provenance import saved_portraits

    library = open_library(parsed)
    sitters = [library.sitter(parsed.sitter)] if parsed.sitter else library.sitters()
    found = [portrait for sitter in sitters for portrait in saved_portraits(sitter.portraits_dir)]
    found.sort(key=lambda p: -1.0 if p.recipe.likeness is None else p.recipe.likeness, reverse=True)
    if parsed.json:
        say_json([as_json(portrait) for portrait in found])
    else:
        recipes = [(p.recipe, p.path) for p in found]
        rows = [(", ".join(r.sitters), likeness_words(r.likeness), r.engine, path) for r, path in recipes]
        table(("sitter", "likeness", "engine", "file"), rows)
    return 0


def as_json(portrait: SavedPortrait) -> dict[str, Any]:
    """One portrait for scripts."""
    recipe = portrait.recipe
    return {
        "file": str(portrait.path),
        "recipe": str(portrait.recipe_path),
        "sitters": list(recipe.sitters),
        "engine": recipe.engine,
        "likeness": recipe.likeness,
        "seed": recipe.seed,
        "index": recipe.index,
        "measures": dict(recipe.measures),
    }


def likeness_words(likeness: float | None) -> str:
    """`0.93`, or that no photo was left to measure it against."""
    return "not measurable" if likeness is None else f"{likeness:.2f}"
