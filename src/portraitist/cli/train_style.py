"""`portraitist train --style`: what was learned of a folder of pictures, said."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from portraitist.cli.flags import given
from portraitist.cli.shared import Progress, open_library, placement_of, say, say_json, table
from portraitist.errors import ConfigError
from portraitist.identity.config import IdentityConfig

if TYPE_CHECKING:
    from portraitist.tasks.train_style import TrainedStyle


def add_style_flags(parser: argparse.ArgumentParser) -> None:
    """What a style needs beside the flags of every training."""
    group = parser.add_argument_group("a style instead of a sitter")
    group.add_argument("--style", metavar="NAME", help="learn a look under this name; wants --images")
    group.add_argument("--images", nargs="+", metavar="DIR", help="pictures of the style, or folders of them")
    group.add_argument("--licence", metavar="TEXT", help="of the pictures; goes with the LoRA (default: unknown)")


def require_one_subject(parsed: argparse.Namespace) -> None:
    """ConfigError unless there is a sitter, or a style with its pictures."""
    if (parsed.sitter is None) == (parsed.style is None):
        found = "neither" if parsed.sitter is None else "both"
        raise ConfigError(f"train: expected a SITTER, or --style NAME with --images DIR; found {found}")
    if (parsed.style is None) != (parsed.images is None):
        lacking = "--images DIR" if parsed.images is None else "--style NAME"
        raise ConfigError(f"train: expected --style and --images together; add {lacking}")
    if parsed.licence is not None and parsed.style is None:
        raise ConfigError("train: --licence is about a style's pictures; leave it out, or say --style NAME")


def run_style(parsed: argparse.Namespace) -> int:
    """Learn the style, and say what came of it."""
    from portraitist.tasks.train_style import UNKNOWN_LICENCE, train_style

    library, progress = open_library(parsed), Progress()
    if parsed.accept_nc:
        library.accept_noncommercial("train --accept-nc")
    config, licence = given(parsed, IdentityConfig), parsed.licence or UNKNOWN_LICENCE
    subject = (library, parsed.style, parsed.images, parsed.base, config)
    how = {"fresh": parsed.fresh, "placement": placement_of(parsed), "report": progress}
    trained = train_style(*subject, licence=licence, **how)
    progress.close()
    # Of several processes the main one speaks.
    if trained is not None:
        _print(trained, parsed.json)
    return 0


def _print(trained: TrainedStyle, as_json: bool) -> None:
    outcome, (learned, chose) = trained.outcome, trained.pictures
    checks = [(check.step, check.validation_loss) for check in outcome.checks]
    if as_json:
        facts = {"learned_from": learned, "chose": chose, "skipped": trained.skipped, "steps": outcome.weights}
        say_json({"style": trained.style.key, "file": trained.path, **facts, "checks": checks})
        return
    for sentence in trained.skipped:
        say(f"skipped: {sentence}")
    table(("step", "validation loss"), [(step, f"{loss:.4f}") for step, loss in checks if loss is not None])
    say(f"learned from {learned} pictures, {chose} chose: kept step {outcome.measured.step}")
    say(f"{trained.path}: draw with it by 'portraitist shoot SITTER --style {trained.style.key}'")
