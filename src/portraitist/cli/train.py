"""`portraitist train`: learn a sitter, or a style, on a base."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags, given
from portraitist.cli.shared import Progress, add_json, open_library, placement_of, say, say_json, table
from portraitist.cli.train_style import add_style_flags, require_one_subject, run_style
from portraitist.identity.config import IdentityConfig

if TYPE_CHECKING:
    from portraitist.identity.checks import Check
    from portraitist.tasks.train import Trained


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="learn a sitter, chosen by measured likeness, or a style: a LoRA on a base",
        epilog="Example: portraitist train anna --base mini, or portraitist train --style blue-hour --images DIR. "
        "The same command goes on after a stop.",
    )
    parser.add_argument("sitter", nargs="?", metavar="SITTER", help="a name from the library")
    parser.add_argument("--base", default="mini", metavar="NAME|PATH", help="see 'portraitist bases' (default mini)")
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1 or mps (default: the CPU)")
    parser.add_argument("--accept-nc", action="store_true", help="accept weights marked nc, once for this library")
    parser.add_argument("--fresh", action="store_true", help="begin anew instead of going on; for a changed album")
    add_json(parser)
    add_style_flags(parser)
    add_flags(parser, IdentityConfig, "training")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Train, and say what came of it."""
    require_one_subject(parsed)
    if parsed.style is not None:
        return run_style(parsed)
    from portraitist.tasks.train import train

    library, progress = open_library(parsed), Progress()
    if parsed.accept_nc:
        library.accept_noncommercial("train --accept-nc")
    config = given(parsed, IdentityConfig)
    how = {"fresh": parsed.fresh, "placement": placement_of(parsed), "report": progress}
    trained = train(library, parsed.sitter, parsed.base, config, **how)
    progress.close()
    # Of several processes the main one speaks.
    if trained is not None:
        _print(trained, parsed.json)
    return 0


def _print(trained: Trained, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        say_json({"folder": trained.folder, **asdict(trained.record)})
        return
    from portraitist.identity.record import reward_sentence

    head = ("step", "validation loss", "distance in words", "in templates", "copies")
    table(head, [_row(check) for check in (trained.outcome.bare, *trained.outcome.checks)])
    for line in trained.outcome.sentences:
        say(line)
    if trained.record.reward_rounds:
        say(f"reward stage: {reward_sentence(trained.record)}")
    if trained.record.report_distance is not None:
        in_templates = _number(trained.record.report_template_distance)
        say(
            f"distance to photos kept for the report: {trained.record.report_distance:.3f}, in templates {in_templates}"
        )
    say(str(trained.folder))


def _row(check: Check) -> tuple[str, ...]:
    measures = (check.validation_loss, check.distance_of("text"), check.distance_of("template"))
    return (str(check.step) if check.step else "base", *map(_number, measures), str(check.copies))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
