"""`portraitist train`: learn a sitter, or a style, on a base."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags, given
from portraitist.cli.shared import Progress, add_json, open_library, say, say_json, table
from portraitist.cli.train_style import add_style_flags, require_one_subject, run_style
from portraitist.identity.config import IdentityConfig

if TYPE_CHECKING:
    from portraitist.identity.checks import Check
    from portraitist.identity.record import IdentityRecord
    from portraitist.tasks.train import Trained


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="learn a sitter: a LoRA on a base, chosen by measured likeness",
        epilog="Example: portraitist train anna --base mini. The same command goes on after a stop.",
    )
    parser.add_argument("sitter", nargs="?", metavar="SITTER", help="a name from the library")
    parser.add_argument("--base", default="mini", metavar="NAME|PATH", help="see 'portraitist bases' (default mini)")
    parser.add_argument("--accept-nc", action="store_true", help="accept weights marked nc, once for this library")
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
    trained = train(library, parsed.sitter, parsed.base, given(parsed, IdentityConfig), report=progress)
    progress.close()
    _print(trained, parsed.json)
    return 0


def _print(trained: Trained, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        say_json({"folder": trained.folder, **asdict(trained.record)})
        return
    table(("step", "validation loss", "distance", "copies"), [_row(check) for check in trained.outcome.checks])
    for line in sentences(trained.record):
        say(line)
    say(str(trained.folder))


def sentences(record: IdentityRecord) -> list[str]:
    """What was kept, by what it was chosen, and what it measures."""
    from portraitist.identity.record import fusion_sentence, reward_sentence

    steps = ", ".join(f"{step} ({share:.0%})" for step, share in record.steps.items())
    lines = [f"kept: {'the fusion of ' if record.is_fused else ''}step {steps}; {_CHOSEN[record.chosen_by]}"]
    if record.fusion_distance is not None:
        lines.append(f"fusion against the best single checkpoint: {fusion_sentence(record)}")
    if record.reward_rounds:
        lines.append(f"reward stage: {reward_sentence(record)}")
    if record.report_distance is not None:
        lines.append(f"distance to photos kept for the report: {record.report_distance:.3f}")
    return lines


_CHOSEN = {
    "likeness": "chosen by likeness to photos that were not learned from",
    "validation loss": "fewer than ten photos: chosen by the validation loss of photos held out; likeness to other "
    "photos is not measurable",
    "last step": "fewer than three photos, none is held out: the last step was kept; likeness to other photos is not "
    "measurable",
}


def _row(check: Check) -> tuple[str, str, str, str]:
    return str(check.step), _number(check.validation_loss), _number(check.distance), str(check.copies)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
